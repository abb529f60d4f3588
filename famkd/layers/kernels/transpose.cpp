// Transposes a matrix of complex numbers: columns of `from` are rows of `to`. A thread
// writes whole rows, tile by tile: what is read of a tile is a cache line of each row.
#include <algorithm>
#include <complex>

namespace {

constexpr long kRows = 32, kColumns = 8;

template <class T>
void transpose(const T* from, T* to, long rows, long columns, int threads) {
#pragma omp parallel for num_threads(threads)
  for (long column = 0; column < columns; column += kColumns) {
    const long columns_end = std::min(column + kColumns, columns);
    for (long row = 0; row < rows; row += kRows) {
      const long rows_end = std::min(row + kRows, rows);
      for (long j = column; j < columns_end; ++j)
        for (long i = row; i < rows_end; ++i) to[j * rows + i] = from[i * columns + j];
    }
  }
}

}  // namespace

#define EXPORT(T, suffix)                                                          \
  extern "C" void transpose_##suffix(const std::complex<T>* from,                  \
                                     std::complex<T>* to, long rows, long columns, \
                                     int threads) {                                \
    transpose(from, to, rows, columns, threads);                                   \
  }
EXPORT(float, complex64)
EXPORT(double, complex128)
