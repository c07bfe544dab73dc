// The one door to onnxruntime-node: everything else in the engine imports the runtime from here.
export { InferenceSession, Tensor as OrtTensor, env, listSupportedBackends } from 'onnxruntime-node';
