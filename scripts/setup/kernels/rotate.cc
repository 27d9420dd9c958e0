// Rotary position embedding, with the change of precision around it.
#include "op.h"

namespace driftloop {
namespace {

struct Settings {
  TF_Bool back = 0;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* settings = new Settings;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrBool(construction, "back", &settings->back, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return settings;
}

void destroy(void* settings) { delete static_cast<Settings*>(settings); }

/** The halves of a head are the pairs' two coordinates; `sign` -1 turns back. */
template <typename T, typename U>
inline void rotate_rows(const T* x, const float* cos, const float* sin, U* y, int64_t from, int64_t to, int64_t heads,
                        int64_t half, float sign) {
  for (int64_t row = from; row < to; row++) {
    const float* c = cos + row * half;
    const float* s = sin + row * half;
    for (int64_t head = row * heads; head < (row + 1) * heads; head++) {
      const T* a = x + head * 2 * half;
      const T* b = a + half;
      U* y_a = y + head * 2 * half;
      U* y_b = y_a + half;
#pragma omp simd
      for (int64_t i = 0; i < half; i++) {
        const float first = widen(a[i]), second = widen(b[i]), turned = sign * s[i];
        put(y_a + i, first * c[i] - second * turned);
        put(y_b + i, second * c[i] + first * turned);
      }
    }
  }
}

DRIFTLOOP_EACH_PROCESSOR
void rotate(const float* x, const float* cos, const float* sin, float* y, int64_t from, int64_t to, int64_t heads,
            int64_t half, float sign) {
  rotate_rows(x, cos, sin, y, from, to, heads, half, sign);
}

DRIFTLOOP_EACH_PROCESSOR
void rotate(const Bf16* x, const float* cos, const float* sin, float* y, int64_t from, int64_t to, int64_t heads,
            int64_t half, float sign) {
  rotate_rows(x, cos, sin, y, from, to, heads, half, sign);
}

DRIFTLOOP_EACH_PROCESSOR
void rotate(const Bf16* x, const float* cos, const float* sin, Bf16* y, int64_t from, int64_t to, int64_t heads,
            int64_t half, float sign) {
  rotate_rows(x, cos, sin, y, from, to, heads, half, sign);
}

template <typename T, typename U>
void compute(void* settings, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const auto shape = shape_of(like);
  const int64_t rows = shape[0], heads = shape[1], half = shape[2] / 2;
  const T* x = call.input<T>(0, rows * heads * half * 2);
  const float* cos = call.input<float>(1, rows * half);
  const float* sin = call.input<float>(2, rows * half);
  U* y = call.output<U>(0, shape);
  if (!call.ok()) return;
  const float sign = static_cast<Settings*>(settings)->back ? -1.0f : 1.0f;
  in_parts(rows, threads_for(rows * heads * half * 2), [=](int64_t, int64_t from, int64_t to) {
    rotate(x, cos, sin, y, from, to, heads, half, sign);
  });
}

void compute_bf16(void* settings, TF_OpKernelContext* context) {
  if (TF_ExpectedOutputDataType(context, 0) == TF_FLOAT) compute<Bf16, float>(settings, context);
  else compute<Bf16, Bf16>(settings, context);
}

const bool defined = [] {
  define_op("DriftloopRotate", {"T: {float, bfloat16}", "U: {float, bfloat16}", "back: bool"},
            {"x: T", "cos: float", "sin: float"}, {"y: U"});
  define_kernel("DriftloopRotate", TF_FLOAT, compute<float, float>, create, destroy);
  define_kernel("DriftloopRotate", TF_BFLOAT16, compute_bf16, create, destroy);
  return true;
}();

}  // namespace
}  // namespace driftloop
