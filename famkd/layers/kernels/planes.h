// Planes of a map, a lane of a SIMD vector each, whatever the map's layout is.
#pragma once
#include <algorithm>
#include <vector>

#include "simd.h"

namespace {

// Some channels of an image, at most as many as there are lanes. The map is
// (N, C, H, W) or, channels last, (N, H, W, C).
template <class S> struct Planes {
  S* start;
  long lanes, size;  // how many planes, and how many places each has
  long lane_stride, stride;

  Planes(S* map, long image, long channel, long lanes, long channels, long size,
         bool channels_last)
      : start(map + image * channels * size + channel * (channels_last ? 1 : size)),
        lanes(lanes), size(size), lane_stride(channels_last ? 1 : size),
        stride(channels_last ? channels : 1) {}
};

// Transposes a matrix of vectors, from step 1 on: swaps lanes of rows `step` apart.
template <class T, long step> inline void swap_lanes(Vec<T>* rows) {
  if constexpr (step < kLanes<T>) {
    Mask<T> low, high;
    for (long lane = 0; lane < kLanes<T>; ++lane) {
      low[lane] = lane & step ? kLanes<T> + lane - step : lane;
      high[lane] = lane & step ? kLanes<T> + lane : lane + step;
    }
    for (long i = 0; i < kLanes<T>; ++i)
      if (!(i & step)) {
        const Vec<T> a = rows[i], b = rows[i + step];
        rows[i] = shuffle<T>(a, b, low);
        rows[i + step] = shuffle<T>(a, b, high);
      }
    swap_lanes<T, 2 * step>(rows);
  }
}

// Place i goes to, or comes from, the vector at places[i]. Lanes without a plane are
// set to anything. Where the lanes are apart, tiles are transposed in registers.
template <class T, class S>
void read_planes(const Planes<S>& map, const std::vector<long>& places, T* to) {
  if (map.lane_stride == 1) {
    for (long i = 0; i < map.size; ++i)
      read(map.start + i * map.stride, to + places[i], map.lanes);
    return;
  }
  Vec<T> tile[kLanes<T>] = {};
  for (long first = 0; first < map.size; first += kLanes<T>) {
    const long count = std::min(kLanes<T>, map.size - first);
    for (long lane = 0; lane < map.lanes; ++lane)
      read(map.start + lane * map.lane_stride + first, (T*)&tile[lane], count);
    swap_lanes<T, 1>(tile);
    for (long i = 0; i < count; ++i) store(to + places[first + i], tile[i]);
  }
}

template <class T, class S>
void write_planes(const T* from, const std::vector<long>& places, const Planes<S>& map) {
  if (map.lane_stride == 1) {
    for (long i = 0; i < map.size; ++i)
      write(from + places[i], map.start + i * map.stride, map.lanes);
    return;
  }
  Vec<T> tile[kLanes<T>] = {};
  for (long first = 0; first < map.size; first += kLanes<T>) {
    const long count = std::min(kLanes<T>, map.size - first);
    for (long i = 0; i < count; ++i) tile[i] = load(from + places[first + i]);
    swap_lanes<T, 1>(tile);
    for (long lane = 0; lane < map.lanes; ++lane)
      write((T*)&tile[lane], map.start + lane * map.lane_stride + first, count);
  }
}

// Calls visit(image, channel, lanes, space) for all channels of all images, some at a
// time; space is memory of a thread, zeros at first.
template <class T, class Visit>
void each_block(long batch, long channels, long space_size, int threads, Visit visit) {
  const long blocks = (channels + kLanes<T> - 1) / kLanes<T>;
#pragma omp parallel num_threads(threads)
  {
    std::vector<T> space(space_size);
#pragma omp for
    for (long i = 0; i < batch * blocks; ++i) {
      const long channel = i % blocks * kLanes<T>;
      visit(i / blocks, channel, std::min(kLanes<T>, channels - channel), space.data());
    }
  }
}

}  // namespace
