#include "op.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace driftloop {

static void check(TF_Status* status, const char* name) {
  if (TF_GetCode(status) == TF_OK) return;
  std::fprintf(stderr, "driftloop: the op %s cannot be registered: %s\n", name, TF_Message(status));
  std::abort();
}

void define_op(const char* name, const std::vector<const char*>& attributes, const std::vector<const char*>& inputs,
               const std::vector<const char*>& outputs) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(name);
  for (const char* attribute : attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(builder, status);
  check(status, name);
  TF_DeleteStatus(status);
}

void define_kernel(const char* op, TF_DataType type, Compute compute, Create create, void (*destroy)(void*)) {
  TF_KernelBuilder* builder = TF_NewKernelBuilder(op, "CPU", create, compute, destroy);
  TF_Status* status = TF_NewStatus();
  TF_KernelBuilder_TypeConstraint(builder, "T", type, status);
  check(status, op);
  const std::string name = std::string(op) + (type == TF_FLOAT ? "Float" : "Bf16");
  TF_RegisterKernelBuilder(name.c_str(), builder, status);
  check(status, op);
  TF_DeleteStatus(status);
}

}  // namespace driftloop
