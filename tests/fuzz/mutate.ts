/** Damages frames: as a line does (bits, ends), as a liar does (lengths, counts), as a stranger does (fields, types, order). */
import { crc32cPortable, type Random, readUint32, writeUint32 } from "../../lib/base/mod.ts";
import { parseTree, type ProtoNode, writeTree } from "./proto_tree.ts";

const DEPTH_MAX = 4;
const GROWTH_BYTES_MAX = 2000;
/** Numbers at which integers of some size end, or that mean something to a Pulsar. */
const EDGES = [
  ...[0n, 1n, 2n, 127n, 128n, 255n, 1000n, 0x7fffn, 0xffffn, 0x7fffffffn, 0x80000000n],
  ...[0xffffffffn, 0x100000000n, (1n << 53n) - 1n, 1n << 53n, (1n << 53n) + 1n],
  ...[(1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 2n, (1n << 64n) - 1n],
];

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)]!;
}

/** An integer at the edge of some type, or any. */
export function edge(random: Random): bigint {
  if (random.below(3) > 0) return pick(random, EDGES);
  return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
}

function randomBytes(random: Random, lengthMax: number): Uint8Array {
  return Uint8Array.from({ length: random.below(lengthMax + 1) }, () => random.below(256));
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const damaged = bytes.slice();
  for (let i = random.below(4); i >= 0; i--) {
    damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
  }
  return damaged;
}

function cutOrGrow(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(4)) {
    case 0:
      return bytes.slice(0, at);
    case 1: {
      const end = at + random.below(bytes.length - at + 1);
      return concat(bytes.subarray(0, at), bytes.subarray(end));
    }
    case 2:
      return concat(bytes.subarray(0, at), randomBytes(random, 32), bytes.subarray(at));
    default: {
      // Something said twice.
      const end = Math.min(at + random.below(64), bytes.length);
      return concat(bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end));
    }
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** One change to a message's fields, or to those of a message inside it. */
function bendTree(bytes: Uint8Array, random: Random, depth = 0): Uint8Array {
  const nodes = parseTree(bytes);
  if (nodes === undefined || nodes.length === 0) return flipBits(bytes, random);
  const at = random.below(nodes.length);
  const node = nodes[at]!;
  if (node.wireType === 2 && depth < DEPTH_MAX && random.below(4) > 0) {
    const inside = parseTree(node.bytes);
    if (inside !== undefined && inside.length > 0) {
      node.bytes = bendTree(node.bytes, random, depth + 1);
      return writeTree(nodes);
    }
  }
  bendNode(nodes, at, random);
  return writeTree(nodes);
}

function bendNode(nodes: ProtoNode[], at: number, random: Random): void {
  const node = nodes[at]!;
  switch (random.below(10)) {
    case 0:
      nodes.splice(at, 1);
      break;
    case 1:
      for (let i = random.below(20); i >= 0; i--) nodes.splice(at, 0, { ...node });
      break;
    case 2: {
      const other = random.below(nodes.length);
      [nodes[at], nodes[other]] = [nodes[other]!, node];
      break;
    }
    case 3: {
      // The content of one under the number of another.
      const other = nodes[random.below(nodes.length)]!;
      [node.number, other.number] = [other.number, node.number];
      break;
    }
    case 4:
      node.wireType = random.below(8);
      break;
    case 5:
      node.number = random.below(2) === 0 ? random.below(20) : Number(edge(random) & 0x1fffffffn);
      break;
    case 6:
      node.announced = Number(edge(random) & 0xffffffffn);
      break;
    case 7: {
      const announced = undefined;
      const wireType = pick(random, [0, 1, 2, 5]);
      const unknown = {
        number: 100 + random.below(1000),
        wireType,
        value: edge(random),
        announced,
      };
      nodes.splice(at, 0, { ...unknown, bytes: randomBytes(random, 50) });
      break;
    }
    default:
      if (node.wireType === 2) node.bytes = bendBytes(node.bytes, random);
      else node.value = edge(random);
  }
}

function bendBytes(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0 || random.below(4) === 0) return randomBytes(random, 40);
  if (random.below(12) > 0) {
    return random.below(2) === 0 ? flipBits(bytes, random) : cutOrGrow(bytes, random);
  }
  const long = new Uint8Array(random.below(GROWTH_BYTES_MAX)).fill(bytes[0]!);
  return concat(bytes, long);
}

/** [command size][command][rest] of a frame with its total size, or undefined where it lies already. */
function partsOf(frame: Uint8Array): { command: Uint8Array; rest: Uint8Array } | undefined {
  if (frame.length < 8) return undefined;
  const commandEnd = 8 + readUint32(frame, 4);
  if (commandEnd > frame.length) return undefined;
  return { command: frame.slice(8, commandEnd), rest: frame.slice(commandEnd) };
}

/** A frame of these parts whose sizes are true. */
export function frameOf(command: Uint8Array, rest: Uint8Array): Uint8Array {
  const sizes = new Uint8Array(8);
  writeUint32(sizes, 0, 4 + command.length + rest.length);
  writeUint32(sizes, 4, command.length);
  return concat(sizes, command, rest);
}

/** [0e 01][checksum][metadata size][metadata][payload]: changes the metadata, a size, or the payload; mostly with the right checksum. */
function bendSection(rest: Uint8Array, random: Random): Uint8Array {
  if (rest.length < 10) return cutOrGrow(rest, random);
  const metadataBytes = readUint32(rest, 6);
  if (10 + metadataBytes > rest.length) return flipBits(rest, random);
  let metadata: Uint8Array = rest.slice(10, 10 + metadataBytes);
  let payload: Uint8Array = rest.slice(10 + metadataBytes);
  let announced: number | undefined;
  switch (random.below(5)) {
    case 0:
      announced = Number(edge(random) & 0xffffffffn);
      break;
    case 1:
      if (payload.length > 0) payload = bendBytes(payload, random);
      break;
    case 2:
      // The sizes inside a batch lie.
      if (payload.length >= 4) writeUint32(payload, 0, Number(edge(random) & 0xffffffffn));
      break;
    default:
      metadata = bendTree(metadata, random);
  }
  const bent = concat(rest.subarray(0, 10), metadata, payload);
  writeUint32(bent, 6, announced ?? metadata.length);
  if (random.below(8) > 0) writeUint32(bent, 2, crc32cPortable(bent, 6, bent.length));
  return bent;
}

/** Whether the sizes of a frame are those of its bytes, so that the next one is found. */
export function isFramed(frame: Uint8Array): boolean {
  return frame.length >= 8 && readUint32(frame, 0) === frame.length - 4;
}

/**
 * A frame like this one, but wrong in one to three ways. Mostly its outer sizes stay true, so that what is inside is looked at.
 *
 * @param frame is left as it is
 */
export function mutateFrame(frame: Uint8Array, random: Random): Uint8Array {
  let mutated = frame;
  for (let i = [0, 0, 0, 1, 2][random.below(5)]!; i >= 0; i--) {
    mutated = mutateOnce(mutated, random);
  }
  return mutated;
}

function mutateOnce(frame: Uint8Array, random: Random): Uint8Array {
  const parts = partsOf(frame);
  if (parts === undefined || random.below(25) === 0) {
    if (frame.length === 0) return randomBytes(random, 20);
    return random.below(2) === 0 ? flipBits(frame, random) : cutOrGrow(frame, random);
  }
  if (random.below(25) === 0) {
    const lying = frame.slice();
    writeUint32(lying, 4 * random.below(2), Number(edge(random) & 0xffffffffn));
    return lying;
  }
  let { command, rest } = parts;
  if (rest.length > 0 && random.below(2) === 0) rest = bendSection(rest, random);
  else if (rest.length === 0 && random.below(40) === 0) rest = randomBytes(random, 40);
  else if (random.below(6) > 0) command = bendTree(command, random);
  else command = random.below(2) === 0 ? flipBits(command, random) : cutOrGrow(command, random);
  return frameOf(command, rest);
}
