// Window attention on the CPU, forward and backward: see window_attention in
// attention.py for the formula. A thread takes some channels of an image at a time, as
// many as a SIMD vector has lanes, and goes from place to place. Keys and values lie in
// the cache with zeros around them, so that every place has 9 neighbours.
#include <algorithm>
#include <vector>

#include "exp2.h"
#include "planes.h"

namespace {

template <class T> struct Softmax {
  Vec<T> exps[9];  // 2^(logit - largest logit)
  Vec<T> inverse_sum;
  Vec<T> out;
};

// Where the places of a map are: one after the other, or with a margin around them.
template <class T> struct Places {
  long height, width;
  std::vector<long> plain, padded;

  Places(long height, long width) : height(height), width(width) {
    for (long h = 0; h < height; ++h)
      for (long w = 0; w < width; ++w) {
        plain.push_back((h * width + w) * kLanes<T>);
        padded.push_back(((h + 1) * (width + 2) + w + 1) * kLanes<T>);
      }
  }
  long size() const { return height * width * kLanes<T>; }
  long padded_size() const { return (height + 2) * (width + 2) * kLanes<T>; }
  // From a place with a margin to its neighbour ab = 3 * a + b.
  long offset(int ab) const {
    return ((ab / 3 - 1) * (width + 2) + ab % 3 - 1) * kLanes<T>;
  }
};

// The 9 neighbours of a place: k + r and v, each loaded when it is needed, since all of
// them do not fit into the registers. Handed over by value: of a copy of its own the
// compiler knows that no store changes it, and reads it once, not at every place.
template <class T> struct Neighbours {
  const T *key, *value;
  Vec<T> r[9] = {}, lowest = Vec<T>{} - T(126);  // the least exponent of a float
  long offset[9];

  // bias: (C, 9) from the first channel on, of which there are as many as lanes.
  Neighbours(const Places<T>& places, const T* key, const T* value, const T* bias,
             long lanes)
      : key(key), value(value) {
    for (int ab = 0; ab < 9; ++ab) {
      offset[ab] = places.offset(ab);
      for (long lane = 0; lane < lanes; ++lane) r[ab][lane] = bias[lane * 9 + ab];
    }
  }
  Vec<T> kr(long at, int ab) const { return load(key + at + offset[ab]) + r[ab]; }
  Vec<T> v(long at, int ab) const { return load(value + at + offset[ab]); }
};

// Logits are in units of ln 2: q comes multiplied by log2(e).
template <class T>
inline Softmax<T> softmax(Vec<T> q, const Neighbours<T>& near, long at) {
  Softmax<T> s;
  Vec<T> logits[9];
  for (int ab = 0; ab < 9; ++ab) logits[ab] = q * near.kr(at, ab);
  Vec<T> max = logits[0], sum = {}, out = {};
  for (int ab = 1; ab < 9; ++ab) max = logits[ab] > max ? logits[ab] : max;
  for (int ab = 0; ab < 9; ++ab) {
    s.exps[ab] = exp2(logits[ab] - max, near.lowest);
    sum += s.exps[ab];
    out += s.exps[ab] * near.v(at, ab);
  }
  s.inverse_sum = T(1) / sum;
  s.out = out * s.inverse_sum;
  return s;
}

// The output takes the place of the query.
template <class T>
void forward_planes(const Places<T>& places, const Neighbours<T> near, T* query) {
  for (size_t i = 0; i < places.plain.size(); ++i) {
    T* q = query + places.plain[i];
    store(q, softmax<T>(load(q) * T(kLog2e), near, places.padded[i]).out);
  }
}

// The gradient of the query takes its place; those of keys and values are added up.
template <class T>
void backward_planes(const Places<T>& places, const Neighbours<T> near,
                     const T* grad_out, T* query, T* grad_key, T* grad_value,
                     Vec<T>* grad_r) {
  Vec<T> sums[9] = {};
  for (size_t i = 0; i < places.plain.size(); ++i) {
    const long at = places.padded[i];
    const Vec<T> q = load(query + places.plain[i]);
    const Softmax<T> s = softmax<T>(q * T(kLog2e), near, at);
    const Vec<T> weight = load(grad_out + places.plain[i]) * s.inverse_sum;
    Vec<T> grad_q = {};
    for (int ab = 0; ab < 9; ++ab) {
      const Vec<T> grad_v = s.exps[ab] * weight;
      const Vec<T> grad_logit = grad_v * (near.v(at, ab) - s.out);
      const Vec<T> grad_kr = grad_logit * q;
      grad_q += grad_logit * near.kr(at, ab);
      sums[ab] += grad_kr;
      T* k = grad_key + at + near.offset[ab];
      T* to = grad_value + at + near.offset[ab];
      store(k, load(k) + grad_kr);
      store(to, load(to) + grad_v);
    }
    store(query + places.plain[i], grad_q);
  }
  std::copy_n(sums, 9, grad_r);
}

template <class T, class S>
void forward(const S* query, const S* key, const S* value, const T* all_bias, S* out,
             long batch, long channels, long height, long width, bool last,
             int threads) {
  const Places<T> places(height, width);
  const long space = places.size() + 2 * places.padded_size();
  each_block<T>(batch, channels, space, threads,
                [&](long image, long channel, long lanes, T* q) {
    const auto planes = [&](auto* map) {
      return Planes(map, image, channel, lanes, channels, height * width, last);
    };
    T *k = q + places.size(), *v = k + places.padded_size();
    read_planes(planes(query), places.plain, q);
    read_planes(planes(key), places.padded, k);
    read_planes(planes(value), places.padded, v);
    forward_planes(places, {places, k, v, all_bias + channel * 9, lanes}, q);
    write_planes(q, places.plain, planes(out));
  });
}

template <class T, class S>
void backward(const S* grad_out, const S* query, const S* key, const S* value,
              const T* all_bias, S* grad_query, S* grad_key, S* grad_value, T* grad_bias,
              long batch, long channels, long height, long width, bool last,
              int threads) {
  const Places<T> places(height, width);
  const long space = 2 * places.size() + 4 * places.padded_size();
  each_block<T>(batch, channels, space, threads,
                [&](long image, long channel, long lanes, T* q) {
    const auto planes = [&](auto* map) {
      return Planes(map, image, channel, lanes, channels, height * width, last);
    };
    T *g = q + places.size(), *k = g + places.size(), *v = k + places.padded_size();
    T *grad_k = v + places.padded_size(), *grad_v = grad_k + places.padded_size();
    std::fill_n(grad_k, 2 * places.padded_size(), T(0));
    read_planes(planes(grad_out), places.plain, g);
    read_planes(planes(query), places.plain, q);
    read_planes(planes(key), places.padded, k);
    read_planes(planes(value), places.padded, v);
    Vec<T> grad_r[9] = {};
    backward_planes(places, {places, k, v, all_bias + channel * 9, lanes}, g, q, grad_k,
                    grad_v, grad_r);
    write_planes(q, places.plain, planes(grad_query));
    write_planes(grad_k, places.padded, planes(grad_key));
    write_planes(grad_v, places.padded, planes(grad_value));
    for (long lane = 0; lane < lanes; ++lane)
      for (int ab = 0; ab < 9; ++ab)
        grad_bias[((image * channels) + channel + lane) * 9 + ab] = grad_r[ab][lane];
  });
}

}  // namespace

// Maps of type S, computed in T: (N, C, H, W), or (N, H, W, C) if last. bias: (C, 9);
// grad_bias: (N, C, 9), to be summed over N.
#define EXPORT(T, S, suffix)                                                           \
  extern "C" void forward_##suffix(const S* query, const S* key, const S* value,       \
                                   const T* bias, S* out, long n, long c, long h,      \
                                   long w, long last, int threads) {                   \
    forward(query, key, value, bias, out, n, c, h, w, last, threads);                  \
  }                                                                                    \
  extern "C" void backward_##suffix(                                                   \
      const S* grad_out, const S* query, const S* key, const S* value, const T* bias,  \
      S* grad_query, S* grad_key, S* grad_value, T* grad_bias, long n, long c, long h, \
      long w, long last, int threads) {                                                \
    backward(grad_out, query, key, value, bias, grad_query, grad_key, grad_value,      \
             grad_bias, n, c, h, w, last, threads);                                    \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
