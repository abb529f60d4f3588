// Two maps, each times a gate that is made of both, and the gradients: see gated_sum.py.
// A thread takes some places of an image at a time, a lane of a SIMD vector each, so that
// all channels of a place are at hand when its gates are known.
#include <algorithm>
#include <vector>

#include "exp2.h"
#include "planes.h"

namespace {

template <class T> Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> lowest = Vec<T>{} - T(126), zero = {};
  const Vec<T> power = exp2((x > zero ? -x : x) * T(kLog2e), lowest);  // at most 1
  return (x > zero ? zero + T(1) : power) / (T(1) + power);
}

// What a thread has of the places at work: channel by channel, a vector of places.
template <class T> struct Tile {
  std::vector<long> offsets;  // of a channel
  std::vector<T> a, b, grad;

  explicit Tile(long channels)
      : a(channels * kLanes<T>), b(a.size()), grad(a.size()) {
    for (long c = 0; c < channels; ++c) offsets.push_back(c * kLanes<T>);
  }
  // weights: (2, 2 C + 1), of each gate those of a, those of b and a constant.
  template <class Gates> void gates(const T* weights, Gates z) const {
    const long channels = offsets.size();
    for (int k = 0; k < 2; ++k, weights += 2 * channels + 1) {
      Vec<T> x = Vec<T>{} + weights[2 * channels];
      for (long c = 0; c < channels; ++c)
        x += weights[c] * load(&a[offsets[c]]) +
             weights[channels + c] * load(&b[offsets[c]]);
      z[k] = sigmoid<T>(x);
    }
  }
};

// Calls visit(tile, tiles, index) for every chunk of places; `index` counts them. In it,
//   tiles([&](auto planes, long lanes) { read_planes(planes(a), tile.offsets, to); })
// goes over the chunk, as many places at a time as there are lanes. `planes` makes Planes
// of a map, with the roles exchanged: a plane is a place here, and goes over the channels.
// So (N, C, H, W) is what Planes call channels last, and the other way round.
template <class T, class Visit>
void each_chunk(long batch, long channels, long size, long chunk, bool last, int threads,
                Visit visit) {
  const long chunks = (size + chunk - 1) / chunk;
#pragma omp parallel num_threads(threads)
  {
    Tile<T> tile(channels);
#pragma omp for
    for (long i = 0; i < batch * chunks; ++i) {
      const long first = i % chunks * chunk, end = std::min(first + chunk, size);
      visit(tile, [=](auto each) {
        for (long place = first; place < end; place += kLanes<T>) {
          const long lanes = std::min(kLanes<T>, end - place);
          each([=](auto* map) {
            return Planes(map, i / chunks, place, lanes, size, channels, !last);
          }, lanes);
        }
      }, i);
    }
  }
}

template <class T, class S>
void gated_sum(const S* a, const S* b, const T* weights, S* out, long batch,
               long channels, long size, long chunk, bool last, int threads) {
  each_chunk<T>(batch, channels, size, chunk, last, threads,
                [&](Tile<T>& tile, auto tiles, long) {
    tiles([&](auto planes, long) {
      read_planes(planes(a), tile.offsets, tile.a.data());
      read_planes(planes(b), tile.offsets, tile.b.data());
      Vec<T> z[2];
      tile.gates(weights, z);
      for (long c : tile.offsets)
        store(&tile.a[c], z[0] * load(&tile.a[c]) + z[1] * load(&tile.b[c]));
      write_planes(tile.a.data(), tile.offsets, planes(out));
    });
  });
}

// grad_weights: (chunks, 2, 2 C + 1), one of every chunk of places, so that no thread
// count changes the order in which they are summed up.
template <class T, class S>
void gated_sum_backward(const S* grad, const S* a, const S* b, const T* weights,
                        S* grad_a, S* grad_b, T* grad_weights, long batch,
                        long channels, long size, long chunk, bool last, int threads) {
  const long columns = 2 * channels + 1;
  each_chunk<T>(batch, channels, size, chunk, last, threads,
                [&](Tile<T>& tile, auto tiles, long index) {
    std::vector<T> sums(2 * columns * kLanes<T>);
    const auto add = [&sums](long column, Vec<T> x) {
      T* to = &sums[column * kLanes<T>];
      store(to, load(to) + x);
    };
    tiles([&](auto planes, long lanes) {
      read_planes(planes(grad), tile.offsets, tile.grad.data());
      read_planes(planes(a), tile.offsets, tile.a.data());
      read_planes(planes(b), tile.offsets, tile.b.data());
      Vec<T> z[2], slope[2] = {};
      tile.gates(weights, z);
      for (long c : tile.offsets) {
        slope[0] += load(&tile.grad[c]) * load(&tile.a[c]);
        slope[1] += load(&tile.grad[c]) * load(&tile.b[c]);
      }
      for (int k = 0; k < 2; ++k) {
        slope[k] *= z[k] * (T(1) - z[k]);
        for (long lane = lanes; lane < kLanes<T>; ++lane) slope[k][lane] = 0;
        add(k * columns + 2 * channels, slope[k]);
      }
      for (long c = 0; c < channels; ++c) {
        const long at = tile.offsets[c];
        const Vec<T> x = load(&tile.a[at]), y = load(&tile.b[at]);
        Vec<T> grad_x = z[0] * load(&tile.grad[at]), grad_y = z[1] * load(&tile.grad[at]);
        for (int k = 0; k < 2; ++k) {
          const long column = k * columns + c;
          grad_x += weights[column] * slope[k];
          grad_y += weights[column + channels] * slope[k];
          add(column, x * slope[k]);
          add(column + channels, y * slope[k]);
        }
        store(&tile.a[at], grad_x);
        store(&tile.b[at], grad_y);
      }
      write_planes(tile.a.data(), tile.offsets, planes(grad_a));
      write_planes(tile.b.data(), tile.offsets, planes(grad_b));
    });
    for (long column = 0; column < 2 * columns; ++column) {
      T sum = 0;
      for (long lane = 0; lane < kLanes<T>; ++lane) sum += sums[column * kLanes<T> + lane];
      grad_weights[index * 2 * columns + column] = sum;
    }
  });
}

}  // namespace

// Maps of type S, computed in T: (N, C, HW), or (N, HW, C) if last.
#define EXPORT(T, S, suffix)                                                           \
  extern "C" void gated_sum_##suffix(const S* a, const S* b, const T* weights, S* out, \
                                     long batch, long channels, long size, long chunk, \
                                     long last, int threads) {                         \
    gated_sum(a, b, weights, out, batch, channels, size, chunk, last, threads);        \
  }                                                                                    \
  extern "C" void gated_sum_backward_##suffix(                                         \
      const S* grad, const S* a, const S* b, const T* weights, S* grad_a, S* grad_b,   \
      T* grad_weights, long batch, long channels, long size, long chunk, long last,    \
      int threads) {                                                                   \
    gated_sum_backward(grad, a, b, weights, grad_a, grad_b, grad_weights, batch,       \
                       channels, size, chunk, last, threads);                          \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
