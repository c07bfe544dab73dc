const NONE = -1;
const TERMINAL = -2;
const ORPHAN = -3;
const FAR = 0x7fffffff;

/**
 * Minimum cut between a source and a sink by growing two search trees and mending them after each augmentation
 * (Boykov and Kolmogorov 2004): on the sparse grids of image segmentation far faster than general flow algorithms.
 */
export class MaxFlow {
  readonly #nodes: number;
  /** Residual capacity from the source (positive) or to the sink (negative). */
  readonly #terminal: Float64Array;
  readonly #first: Int32Array;
  /** Arcs come in pairs: the sister of arc a is a ^ 1. */
  readonly #target: Int32Array;
  readonly #following: Int32Array;
  readonly #residual: Float64Array;
  #arcs = 0;

  readonly #parent: Int32Array;
  readonly #inSink: Uint8Array;
  readonly #stamp: Int32Array;
  readonly #distance: Int32Array;
  readonly #queued: Uint8Array;
  #queue: number[] = [];
  #queueHead = 0;
  #orphans: number[] = [];
  #time = 0;

  constructor(nodes: number, edges: number) {
    this.#nodes = nodes;
    this.#terminal = new Float64Array(nodes);
    this.#first = new Int32Array(nodes).fill(NONE);
    this.#target = new Int32Array(2 * edges);
    this.#following = new Int32Array(2 * edges);
    this.#residual = new Float64Array(2 * edges);
    this.#parent = new Int32Array(nodes).fill(NONE);
    this.#inSink = new Uint8Array(nodes);
    this.#stamp = new Int32Array(nodes);
    this.#distance = new Int32Array(nodes);
    this.#queued = new Uint8Array(nodes);
  }

  /** Adds what it costs to put the node on the sink's side (cut from the source) and on the source's side. */
  addTerminals(node: number, fromSource: number, toSink: number): void {
    this.#terminal[node] = (this.#terminal[node] ?? 0) + fromSource - toSink;
  }

  /** Adds an edge that costs `capacity` if its ends come to lie on different sides. */
  addEdge(a: number, b: number, capacity: number): void {
    const arc = this.#arcs;
    this.#arcs += 2;
    this.#target[arc] = b;
    this.#target[arc + 1] = a;
    this.#residual[arc] = capacity;
    this.#residual[arc + 1] = capacity;
    this.#following[arc] = this.#first[a] ?? NONE;
    this.#first[a] = arc;
    this.#following[arc + 1] = this.#first[b] ?? NONE;
    this.#first[b] = arc + 1;
  }

  /** Whether a node lies on the source's side, once `solve` has run; undecided ones lie on the sink's. */
  onSourceSide(node: number): boolean {
    return this.#parent[node] !== NONE && this.#inSink[node] === 0;
  }

  solve(): void {
    for (let i = 0; i < this.#nodes; i += 1) {
      const capacity = this.#terminal[i] ?? 0;
      if (capacity === 0) continue;
      this.#inSink[i] = capacity < 0 ? 1 : 0;
      this.#parent[i] = TERMINAL;
      this.#distance[i] = 1;
      this.#activate(i);
    }
    let current = NONE;
    for (;;) {
      if (current === NONE || this.#parent[current] === NONE) current = this.#nextActive();
      if (current === NONE) return;
      const bridge = this.#grow(current);
      this.#time += 1;
      if (bridge === NONE) {
        current = NONE;
        continue;
      }
      this.#augment(bridge);
      for (let orphan = this.#orphans.pop(); orphan !== undefined; orphan = this.#orphans.pop()) this.#adopt(orphan);
    }
  }

  #activate(node: number): void {
    if (this.#queued[node] === 1) return;
    this.#queued[node] = 1;
    this.#queue.push(node);
  }

  #nextActive(): number {
    while (this.#queueHead < this.#queue.length) {
      const node = this.#queue[this.#queueHead] ?? NONE;
      this.#queueHead += 1;
      this.#queued[node] = 0;
      if (this.#queueHead > 65_536 && this.#queueHead * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#queueHead);
        this.#queueHead = 0;
      }
      if (this.#parent[node] !== NONE) return node;
    }
    return NONE;
  }

  /** Capacity of an arc seen along the flow: from the source tree outwards, towards the sink tree inwards. */
  #open(arc: number, sink: boolean): boolean {
    return (this.#residual[sink ? arc ^ 1 : arc] ?? 0) > 0;
  }

  /** Lets a node's tree grow by its neighbours; returns an arc from the source's tree to the sink's if they touch. */
  #grow(node: number): number {
    const sink = this.#inSink[node] === 1;
    const stamp = this.#stamp[node] ?? 0;
    const distance = this.#distance[node] ?? 0;
    for (let arc = this.#first[node] ?? NONE; arc !== NONE; arc = this.#following[arc] ?? NONE) {
      if (!this.#open(arc, sink)) continue;
      const other = this.#target[arc] ?? 0;
      if (this.#parent[other] === NONE) {
        this.#inSink[other] = sink ? 1 : 0;
        this.#parent[other] = arc ^ 1;
        this.#stamp[other] = stamp;
        this.#distance[other] = distance + 1;
        this.#activate(other);
      } else if ((this.#inSink[other] === 1) !== sink) {
        return sink ? arc ^ 1 : arc;
      } else if ((this.#stamp[other] ?? 0) <= stamp && (this.#distance[other] ?? 0) > distance) {
        this.#parent[other] = arc ^ 1;
        this.#stamp[other] = stamp;
        this.#distance[other] = distance + 1;
      }
    }
    return NONE;
  }

  #augment(bridge: number): void {
    const residual = this.#residual;
    let amount = residual[bridge] ?? 0;
    let node = this.#target[bridge ^ 1] ?? 0;
    for (let arc = this.#parent[node] ?? NONE; arc !== TERMINAL; arc = this.#parent[node] ?? NONE) {
      amount = Math.min(amount, residual[arc ^ 1] ?? 0);
      node = this.#target[arc] ?? 0;
    }
    amount = Math.min(amount, this.#terminal[node] ?? 0);
    node = this.#target[bridge] ?? 0;
    for (let arc = this.#parent[node] ?? NONE; arc !== TERMINAL; arc = this.#parent[node] ?? NONE) {
      amount = Math.min(amount, residual[arc] ?? 0);
      node = this.#target[arc] ?? 0;
    }
    amount = Math.min(amount, -(this.#terminal[node] ?? 0));

    residual[bridge] = (residual[bridge] ?? 0) - amount;
    residual[bridge ^ 1] = (residual[bridge ^ 1] ?? 0) + amount;
    this.#push(this.#target[bridge ^ 1] ?? 0, amount, false);
    this.#push(this.#target[bridge] ?? 0, amount, true);
  }

  /** Sends flow along a tree path to its terminal; what it saturates is orphaned. */
  #push(from: number, amount: number, sink: boolean): void {
    const residual = this.#residual;
    let node = from;
    for (let arc = this.#parent[node] ?? NONE; arc !== TERMINAL; arc = this.#parent[node] ?? NONE) {
      const along = sink ? arc : arc ^ 1;
      const left = (residual[along] ?? 0) - amount;
      residual[along] = left;
      residual[along ^ 1] = (residual[along ^ 1] ?? 0) + amount;
      const next = this.#target[arc] ?? 0;
      if (left <= 0) this.#orphan(node);
      node = next;
    }
    const left = (this.#terminal[node] ?? 0) + (sink ? amount : -amount);
    this.#terminal[node] = left;
    if (left === 0) this.#orphan(node);
  }

  #orphan(node: number): void {
    this.#parent[node] = ORPHAN;
    this.#orphans.push(node);
  }

  /** Finds an orphan another parent in its tree, or sets it and its children free. */
  #adopt(node: number): void {
    const sink = this.#inSink[node] === 1;
    let best = NONE;
    let bestDistance = FAR;
    for (let arc = this.#first[node] ?? NONE; arc !== NONE; arc = this.#following[arc] ?? NONE) {
      if (!this.#open(arc ^ 1, sink)) continue;
      const other = this.#target[arc] ?? 0;
      if ((this.#inSink[other] === 1) !== sink || this.#parent[other] === NONE) continue;
      const distance = this.#distanceToTerminal(other);
      if (distance === FAR) continue;
      if (distance < bestDistance) {
        best = arc;
        bestDistance = distance;
      }
      // Remember what was found along the way.
      let mark = distance;
      for (let k = other; this.#stamp[k] !== this.#time; k = this.#target[this.#parent[k] ?? 0] ?? 0) {
        this.#stamp[k] = this.#time;
        this.#distance[k] = mark;
        mark -= 1;
      }
    }
    this.#parent[node] = best;
    if (best !== NONE) {
      this.#stamp[node] = this.#time;
      this.#distance[node] = bestDistance + 1;
      return;
    }
    for (let arc = this.#first[node] ?? NONE; arc !== NONE; arc = this.#following[arc] ?? NONE) {
      const other = this.#target[arc] ?? 0;
      const parent = this.#parent[other] ?? NONE;
      if ((this.#inSink[other] === 1) !== sink || parent === NONE) continue;
      if (this.#open(arc ^ 1, sink)) this.#activate(other);
      if (parent >= 0 && this.#target[parent] === node) this.#orphan(other);
    }
  }

  #distanceToTerminal(from: number): number {
    let distance = 0;
    let node = from;
    for (;;) {
      if (this.#stamp[node] === this.#time) return distance + (this.#distance[node] ?? 0);
      const arc = this.#parent[node] ?? NONE;
      distance += 1;
      if (arc === TERMINAL) {
        this.#stamp[node] = this.#time;
        this.#distance[node] = 1;
        return distance;
      }
      if (arc === ORPHAN || arc === NONE) return FAR;
      node = this.#target[arc] ?? 0;
    }
  }
}
