// The filter of FAM, bin by bin, and its gradients: see filter_matrix.py.
#include <algorithm>
#include <vector>

#include "simd.h"

namespace {

// A complex number is one of T, or a real matrix of two rows of BFloat16.
template <class S> constexpr long kRows = 1;
template <> constexpr long kRows<BFloat16> = 2;

// The two rows that stand for a row of complex numbers: (re, im) and below it (-im, re).
// `row` is read in whole vectors.
void write_real(const float* row, BFloat16* to, long size) {
  for (long i = 0; i < size; i += kLanes<float>)
    write(row + i, to + i, std::min(kLanes<float>, size - i));
  for (long i = 0; i < size; i += 2) {
    uint32_t number;  // processors are little-endian: the real part is its lower half
    std::memcpy(&number, to + i, sizeof number);
    number = (number << 16 | number >> 16) ^ 0x8000;
    std::memcpy(to + size + i, &number, sizeof number);
  }
}

// The gradient of the row, by that of the two.
void read_real(const BFloat16* from, float* row, long size) {
  for (long i = 0; i < size; i += 2) {
    row[i] = widened(from[i]) + widened(from[size + i + 1]);
    row[i + 1] = widened(from[i + 1]) - widened(from[size + i]);
  }
}

template <class T, class S>
void filter_matrix(const T* weight, const T* scale, const T* pointwise, S* matrix,
                   long bins, long in, long out, bool conjugate, int threads) {
  const long size = 2 * out;
#pragma omp parallel num_threads(threads)
  {
    std::vector<T> space(size + kLanes<T>);
#pragma omp for
    for (long bin = 0; bin < bins; ++bin) {
      const T a = scale[bin], b = conjugate ? -a : a;
      for (long i = 0; i < in; ++i) {
        const T *p = weight + (bin * in + i) * size, *w = pointwise + i * out;
        S* to = matrix + kRows<S> * (bin * in + i) * size;
        const auto fill = [=](T* row) {
#pragma omp simd
          for (long o = 0; o < out; ++o) {
            row[2 * o] = a * p[2 * o] + w[o];
            row[2 * o + 1] = b * p[2 * o + 1];
          }
        };
        if constexpr (kRows<S> == 1) {
          fill(to);
        } else {
          fill(space.data());
          write_real(space.data(), to, size);
        }
      }
    }
  }
}

template <class T, class S>
void filter_gradients(const S* grad, const T* weight, const T* scale, const T* counts,
                      T* grad_weight, T* grad_scale, T* sums, long bins, long in,
                      long out, long chunk, int threads) {
  const long size = 2 * out;
#pragma omp parallel for num_threads(threads)
  for (long first = 0; first < bins; first += chunk) {
    T* chunk_sums = sums + first / chunk * in * size;
    std::fill_n(chunk_sums, in * size, T(0));
    for (long bin = first; bin < std::min(first + chunk, bins); ++bin) {
      const T count = counts[bin], factor = count * scale[bin];
      T product = 0;
      for (long i = 0; i < in; ++i) {
        const long at = (bin * in + i) * size;
        T *to = grad_weight + at, *sum = chunk_sums + i * size;
        const T *p = weight + at, *g = to;
        if constexpr (kRows<S> == 1)
          g = grad + at;
        else
          read_real(grad + 2 * at, to, size);
#pragma omp simd reduction(+ : product)
        for (long k = 0; k < size; ++k) {
          product += g[k] * p[k];
          sum[k] += count * g[k];
          to[k] = factor * g[k];
        }
      }
      grad_scale[bin] = count * product;
    }
  }
}

}  // namespace

// weight, grad_weight: (bins, in, out, 2); scale, counts, grad_scale: (bins); pointwise:
// (in, out). matrix and grad are of type S: (bins, in, out, 2), or, of BFloat16,
// (bins, 2 * in, 2 * out). sums: (chunks, in, out, 2), over the bins of a chunk, whatever
// the number of threads.
#define EXPORT(T, S, suffix)                                                           \
  extern "C" void filter_matrix_##suffix(                                              \
      S* matrix, const T* weight, const T* scale, const T* pointwise, long bins,       \
      long in, long out, long conjugate, int threads) {                                \
    filter_matrix(weight, scale, pointwise, matrix, bins, in, out, conjugate,          \
                  threads);                                                            \
  }                                                                                    \
  extern "C" void filter_gradients_##suffix(                                           \
      const S* grad, const T* weight, const T* scale, const T* counts, T* grad_weight, \
      T* grad_scale, T* sums, long bins, long in, long out, long chunk, int threads) { \
    filter_gradients(grad, weight, scale, counts, grad_weight, grad_scale, sums, bins, \
                     in, out, chunk, threads);                                         \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
