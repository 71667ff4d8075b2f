import { mix32 } from "../base/mod.ts";
import type { Fleet } from "./_fleet.ts";

const MINUTES_A_DAY = 1440;
const MINUTES_OF_BATTERY = 43_200;
const STATUS_OK = 0;
const STATUS_WARN = 1;
/** Index of ERROR in the schema. */
export const STATUS_ERROR = 2;
const STATUS_OFFLINE = 3;

// By device type: thermostat, pump, motor, meter, gateway.
const VOLTAGES = Float64Array.of(24, 400, 400, 230, 48);
const CURRENTS = Float64Array.of(0.2, 12, 20, 6, 1.5);
const POWER_FACTORS = Float64Array.of(1, 0.86, 0.82, 0.97, 1);
const VIBRATIONS = Float64Array.of(0.02, 2.4, 3.2, 0.02, 0.05);
const HEATS = Float64Array.of(0, 9, 14, 2, 5);

/** Sites differ in solar time: the daily curve of each runs so many minutes ahead of the one before. */
const MINUTES_A_SITE = 7;

/** Between −1 in the small hours and 1 in the afternoon, by minute of the day; goes on for the last site's shift. */
const DAILY_CURVE = Float64Array.from(
  { length: MINUTES_A_DAY + 256 * MINUTES_A_SITE },
  (_, minute) => {
    const half = ((minute + MINUTES_A_DAY - 540) % MINUTES_A_DAY) / (MINUTES_A_DAY / 2);
    // Bhaskara's approximation of the sine: only operations that IEEE 754 rounds exactly, so that all machines agree.
    const x = half % 1;
    const arc = 4 * x * (1 - x);
    return (half < 1 ? 1 : -1) * 4 * arc / (5 - arc);
  },
);

/**
 * The measured values of one message: pure in the source's key, the sequence's draw and the event time.
 *
 * Values are multiples of what such a device resolves (0.01 °C, 0.1 V, …), so they read well in a table.
 */
export class SensorValues {
  /**
   * The ten doubles of the record in the order of the schema: temperature, humidity, pressure, vibration x, y, z, voltage,
   * current, power, battery.
   */
  readonly doubles = new Float64Array(10);
  /** What the values were drawn from. */
  messageKey = 0;
  signalDbm = 0;
  status = STATUS_OK;
  /** 0 = none. */
  errorCode = 0;
  isAnomaly = 0;
  quality = 0;
  readonly #fleet: Fleet;
  #minute = NaN;
  #minuteOfDay = 0;
  #minuteOfBattery = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /**
   * @param source its index in the fleet
   * @param eventTimeMs ms since 1970
   * @param messageKey 32 random bits that belong to source and sequence
   */
  fill(source: number, eventTimeMs: number, messageKey: number): void {
    this.messageKey = messageKey;
    const fleet = this.#fleet;
    const doubles = this.doubles;
    const key = fleet.keys[source]!;
    const site = fleet.siteIds[source]!;
    const type = fleet.deviceTypes[source]!;
    this.#setMinute(Math.floor(eventTimeMs / 60_000));
    const day = DAILY_CURVE[this.#minuteOfDay + site * MINUTES_A_SITE]!;
    const noise = mix32(messageKey ^ 0x2545f491);
    const shake = mix32(messageKey ^ 0x7f4a7c15);
    const rare = mix32(messageKey ^ 0x1b873593);
    const isAnomaly = (rare & 0x3ff) === 0 ? 1 : 0;
    const load = 0.55 + 0.2 * day + ((noise >>> 24) / 512);
    const vibration = VIBRATIONS[type]! * (1 + 5 * isAnomaly);

    doubles[0] = hundredths(
      12 + (site % 7) + 6 * day + HEATS[type]! + (noise & 0xff) / 256 + 28 * isAnomaly,
    );
    doubles[1] = hundredths(58 - 14 * day + (site % 5) + ((noise >>> 8) & 0xff) / 64);
    doubles[2] = hundredths(1018 - 3 * site + 2 * day + ((noise >>> 16) & 0xff) / 512);
    doubles[3] = thousandths(vibration * (0.5 + (shake & 0x3ff) / 1024));
    doubles[4] = thousandths(vibration * (0.4 + ((shake >>> 10) & 0x3ff) / 1024));
    doubles[5] = thousandths(vibration * (0.3 + (shake >>> 20) / 4096));
    const voltage = hundredths(VOLTAGES[type]! * (0.98 + (rare >>> 24) / 6400));
    const current = thousandths(CURRENTS[type]! * load * (1 + 0.8 * isAnomaly));
    doubles[6] = voltage;
    doubles[7] = current;
    doubles[8] = hundredths(voltage * current * POWER_FACTORS[type]!);
    // Drained from full to a fifth in thirty days, then changed.
    const worn = this.#minuteOfBattery + (key & 0x7fff);
    const drained = worn < MINUTES_OF_BATTERY ? worn : worn - MINUTES_OF_BATTERY;
    doubles[9] = hundredths(100 - drained * (80 / MINUTES_OF_BATTERY));
    this.signalDbm = -48 - (key >>> 28) - ((rare >>> 10) & 0xf);
    this.isAnomaly = isAnomaly;
    this.#judge(rare, type, isAnomaly);
  }

  /** Most messages are of the same minute as the one before: that spares two divisions. */
  #setMinute(minute: number): void {
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#minuteOfDay = modulo(minute, MINUTES_A_DAY);
    this.#minuteOfBattery = modulo(minute, MINUTES_OF_BATTERY);
  }

  #judge(rare: number, type: number, isAnomaly: number): void {
    const chance = (rare >>> 10) & 0xfff;
    this.errorCode = 0;
    if (chance < 8 || (isAnomaly === 1 && chance < 1228)) {
      this.status = STATUS_ERROR;
      this.errorCode = 100 * (type + 1) + (chance & 7);
      this.quality = 0.25;
    } else if (isAnomaly === 1 || chance < 48) {
      this.status = STATUS_WARN;
      this.quality = 0.625;
    } else if (chance === 4095) {
      this.status = STATUS_OFFLINE;
      this.quality = 0;
    } else {
      this.status = STATUS_OK;
      this.quality = 0.875 + (chance & 7) / 64;
    }
  }
}

/** Length of a vibration's vector. Generator, projection and oracle share it, so that minima and maxima compare exactly. */
export function vibrationMagnitude(x: number, y: number, z: number): number {
  return Math.sqrt(x * x + y * y + z * z);
}

// Math.floor compiles to one instruction, Math.round to several and a branch: 7 ns less a value.
function hundredths(value: number): number {
  return Math.floor(value * 100 + 0.5) / 100;
}

function thousandths(value: number): number {
  return Math.floor(value * 1000 + 0.5) / 1000;
}

/** The remainder as it is on a clock face: never negative. */
function modulo(value: number, divisor: number): number {
  const rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}
