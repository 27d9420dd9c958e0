"""Writes the encoder as ONNX for one exchange at a time, its matrices in int8 (one scale a column)."""

import pathlib
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from encoder import EPSILON, HEADS, LAYERS


class Graph:
    def __init__(self, state: dict[str, np.ndarray]):
        self.state, self.nodes, self.initializers = state, [], []

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.state[name])

    def op(self, kind: str, *inputs: str, to: str | None = None, domain: str = "", **attributes) -> str:
        output = to or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"node_{output}", domain=domain, **attributes))
        return output

    def product(self, x: str, name: str, matrix: np.ndarray) -> str:
        return self.op("MatMul", x, self.constant(name, matrix.T))

    def linear(self, x: str, name: str, to: str | None = None) -> str:
        product = self.product(x, f"{name}.weight", self.state[f"{name}.weight"])
        return self.op("Add", product, self.weight(f"{name}.bias"), to=to)

    def norm(self, x: str, name: str) -> str:
        weights = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", x, *weights, axis=-1, epsilon=EPSILON)

    def embeddings(self) -> str:
        words = self.op("Gather", self.weight("words.weight"), "ids")
        segments = self.op("Gather", self.weight("segments.weight"), "segments")
        zero = self.constant("zero", np.array([0], np.int64))
        tokens = self.op("Shape", "ids", start=1, end=2)
        positions = self.op("Slice", self.weight("positions.weight"), zero, tokens, zero)
        return self.norm(self.op("Add", self.op("Add", words, segments), positions), "norm")

    def layer(self, x: str, at: int) -> str:
        name = f"layers.{at}"
        parts = zip("qkv", np.split(self.state[f"{name}.qkv.weight"], 3), strict=True)
        qkv = [self.product(x, f"{name}.{part}", matrix) for part, matrix in parts]
        bias = self.weight(f"{name}.qkv.bias")
        attended = self.op("MultiHeadAttention", *qkv, bias, domain="com.microsoft", num_heads=HEADS)
        x = self.norm(self.op("Add", x, self.linear(attended, f"{name}.out")), f"{name}.norm")
        inner = self.op("Gelu", self.linear(x, f"{name}.inner"))
        return self.norm(self.op("Add", x, self.linear(inner, f"{name}.outer")), f"{name}.last_norm")


def write_onnx(state: dict[str, np.ndarray], path: str) -> None:
    """ids, segments int64 [1, tokens] -> labels [1, 3], rubrics [1, 9]."""
    graph = Graph(state)
    x = graph.embeddings()
    for at in range(LAYERS):
        x = graph.layer(x, at)
    mean = graph.op("ReduceMean", x, graph.constant("one", np.array([1], np.int64)), keepdims=0)
    graph.linear(mean, "labels", to="labels")
    graph.linear(mean, "rubrics", to="rubrics")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, [1, "tokens"]) for name in ("ids", "segments")]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, k]) for n, k in (("labels", 3), ("rubrics", 9))]
    proto = helper.make_graph(graph.nodes, "dsat-encoder", inputs, outputs, graph.initializers)
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    with tempfile.TemporaryDirectory() as directory:
        whole = str(pathlib.Path(directory, "float.onnx"))
        onnx.save(helper.make_model(proto, opset_imports=imports, ir_version=9), whole)
        options = {"DefaultTensorType": TensorProto.FLOAT, "MatMulConstBOnly": True}
        quantize_dynamic(whole, path, per_channel=True, weight_type=QuantType.QInt8, extra_options=options)
