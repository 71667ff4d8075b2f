/** Places that wait to be sent, in the order of the log. Adding behind the last and taking the first are cheap. */
export class PlaceQueue {
  #places: number[] = [];
  /** Those before are gone. */
  #head = 0;

  get size(): number {
    return this.#places.length - this.#head;
  }

  /** The place with this many before it, or undefined. */
  at(index: number): number | undefined {
    return this.#places[this.#head + index];
  }

  /** Adds a place, if it is not there. */
  add(place: number): void {
    const places = this.#places;
    const last = places.at(-1);
    if (this.size === 0 || last! < place) {
      places.push(place);
      return;
    }
    const at = this.#find(place);
    if (places[at] !== place) places.splice(at, 0, place);
  }

  /** Adds many, in any order. */
  addAll(added: readonly number[]): void {
    if (added.length < 8) {
      for (const place of added) this.add(place);
      return;
    }
    const all = Float64Array.from([...this.#places.slice(this.#head), ...added]).sort();
    this.#places = [];
    this.#head = 0;
    for (const place of all) {
      if (place !== this.#places.at(-1)) this.#places.push(place);
    }
  }

  /** Takes the place out that has `index` before it. */
  removeAt(index: number): void {
    if (index > 0) {
      this.#places.splice(this.#head + index, 1);
      return;
    }
    this.#head++;
    const isMostlyGone = this.#head > 1024 && this.#head * 2 > this.#places.length;
    if (!isMostlyGone && this.size > 0) return;
    this.#places.splice(0, this.#head);
    this.#head = 0;
  }

  /** Takes a place out; whether it was there. */
  remove(place: number): boolean {
    const at = this.#find(place);
    if (this.#places[at] !== place) return false;
    this.removeAt(at - this.#head);
    return true;
  }

  /** Index in the array of the first place that is not before `place`. */
  #find(place: number): number {
    let low = this.#head;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]! < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All places, first ones first. */
  places(): number[] {
    return this.#places.slice(this.#head);
  }

  clear(): void {
    this.#places = [];
    this.#head = 0;
  }
}
