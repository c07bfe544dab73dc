import { ProtobufWriter } from './protobuf.ts';

/** ONNX element types by the numbers of TensorProto.DataType. */
export const ElementType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e5m2: 19,
} as const;
export type ElementType = keyof typeof ElementType;

/** A value flowing through the graph, by its name. Branded so that no other string passes for one. */
export type Value = string & { readonly __value: true };

type Attribute = number | string | readonly number[] | { readonly float: number };

/** Where the bytes of an initializer lie. */
export interface ExternalBytes {
  /** File name inside the folder that the session is told. */
  readonly location: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface GraphPort {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

const OPSET = 20;
const IR_VERSION = 9;

function attributeProto(name: string, value: Attribute): ProtobufWriter {
  const proto = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return proto.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return proto.text(4, value).integer(20, 3);
  if ('float' in value) return proto.float(2, value.float).integer(20, 1);
  for (const item of value) proto.integer(8, item);
  return proto.integer(20, 7);
}

function portProto(port: GraphPort): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const side of port.shape) {
    const dim = new ProtobufWriter();
    if (typeof side === 'number') dim.integer(1, side);
    else dim.text(2, side);
    shape.message(1, dim);
  }
  const tensor = new ProtobufWriter().integer(1, ElementType[port.type]).message(2, shape);
  return new ProtobufWriter().text(1, port.name).message(2, new ProtobufWriter().message(1, tensor));
}

/**
 * Writes an ONNX model node by node. It knows the format, not the networks: those are in graphs/.
 * Values are named by what made them, so that ONNX Runtime's errors and profiles can be read.
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: ProtobufWriter[] = [];
  readonly #initializers: ProtobufWriter[] = [];
  readonly #inputs: GraphPort[] = [];
  readonly #outputs: GraphPort[] = [];
  readonly #constants = new Map<string, Value>();
  #usesContrib = false;
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(port: GraphPort): Value {
    this.#inputs.push(port);
    return port.name as Value;
  }

  /** Declares a value as an output of the graph, under a name of its own. */
  output(port: GraphPort, value: Value): void {
    this.node('Identity', [value], {}, { output: port.name });
    this.#outputs.push(port);
  }

  /**
   * Adds a node with one output.
   *
   * @param inputs undefined stands for an optional input left out
   */
  node(
    type: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { contrib?: boolean; output?: string } = {},
  ): Value {
    const [output] = this.nodes(type, inputs, 1, attributes, options);
    return output as Value;
  }

  /** Adds a node with several outputs. */
  nodes(
    type: string,
    inputs: readonly (Value | undefined)[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { contrib?: boolean; output?: string } = {},
  ): Value[] {
    const id = `${type}_${this.#count++}`;
    const proto = new ProtobufWriter(128);
    for (const input of inputs) proto.text(1, input ?? '');
    const names: Value[] = [];
    for (let i = 0; i < outputs; i++) {
      const name = (options.output ?? (outputs === 1 ? id : `${id}:${i}`)) as Value;
      proto.text(2, name);
      names.push(name);
    }
    proto.text(3, `n_${id}`).text(4, type);
    for (const [name, value] of Object.entries(attributes)) proto.message(5, attributeProto(name, value));
    if (options.contrib) {
      proto.text(7, 'com.microsoft');
      this.#usesContrib = true;
    }
    this.#nodes.push(proto);
    return names;
  }

  /** An initializer whose bytes stay in a file. */
  external(name: string, type: ElementType, shape: readonly number[], at: ExternalBytes): Value {
    const proto = this.#tensor(name, type, shape);
    for (const [key, value] of [
      ['location', at.location],
      ['offset', String(at.offset)],
      ['length', String(at.bytes)],
    ] as const)
      proto.message(13, new ProtobufWriter().text(1, key).text(2, value));
    this.#initializers.push(proto.integer(14, 1));
    return name as Value;
  }

  /** An initializer whose bytes go into the model. */
  inline(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): Value {
    this.#initializers.push(this.#tensor(name, type, shape).bytes(9, bytes));
    return name as Value;
  }

  #tensor(name: string, type: ElementType, shape: readonly number[]): ProtobufWriter {
    const proto = new ProtobufWriter(160);
    for (const side of shape) proto.integer(1, side);
    return proto.integer(2, ElementType[type]).text(8, name);
  }

  /** A float constant; equal ones are shared. A shape of [] is a scalar. */
  floats(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): Value {
    const data = Float32Array.from(values);
    const key = `f ${shape.join(',')} ${data.length > 64 ? this.#count++ : data.join(',')}`;
    return this.#constant(key, 'float32', shape, new Uint8Array(data.buffer));
  }

  /** An int64 constant; equal ones are shared. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant(`i ${shape.join(',')} ${values.join(',')}`, 'int64', shape, new Uint8Array(data.buffer));
  }

  #constant(key: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): Value {
    const known = this.#constants.get(key);
    if (known) return known;
    const value = this.inline(`constant_${this.#constants.size}`, type, shape, bytes);
    this.#constants.set(key, value);
    return value;
  }

  /** The serialized ModelProto. */
  finish(): Uint8Array {
    const graph = new ProtobufWriter(1 << 20);
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, this.#name);
    for (const initializer of this.#initializers) graph.message(5, initializer);
    for (const port of this.#inputs) graph.message(11, portProto(port));
    for (const port of this.#outputs) graph.message(12, portProto(port));
    const model = new ProtobufWriter(1 << 20).integer(1, IR_VERSION).text(2, 'spatext-studio').message(7, graph);
    model.message(8, new ProtobufWriter().text(1, '').integer(2, OPSET));
    if (this.#usesContrib) model.message(8, new ProtobufWriter().text(1, 'com.microsoft').integer(2, 1));
    return model.finish();
  }
}
