import { nodeTransport } from "../../../lib/pulsar/client/node_transport.ts";
import { transportContract } from "./transport_contract.ts";

transportContract("nodeTransport", nodeTransport);
