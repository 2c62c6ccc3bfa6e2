// A yardstick for speed, not a dependency: the 1997 LSTM on the adding problem, in C++ with one
// trial in each lane of a vector. Same net (2 blocks of size 2, all units biased, 93 weights), same
// truncated gradient by forward accumulation, same learner and data as benchmarks/learning/program_forward.py; only
// the random numbers differ.
//
//     c++ -O3 -march=native -ffast-math adding97.cpp -o adding97
//     ./adding97 T SEQUENCES LANES_IN_VECTORS
//
// prints nanoseconds per time step of a trial, data generation included, and the mean error of the
// last tenth of the sequences, which tells that something was learnt.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

constexpr int WIDTH = 16, BLOCKS = 2, SIZE = 2, CELLS = BLOCKS * SIZE, GATES = 2 * BLOCKS;
constexpr int UNITS = GATES + CELLS, INPUTS = 2, SOURCES = INPUTS + UNITS + 1;  // and a bias

typedef float Vector __attribute__((vector_size(4 * WIDTH)));
typedef int32_t Whole __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t Bits __attribute__((vector_size(4 * WIDTH)));

static Vector fill(float value) { return Vector{} + value; }

// exp by 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2]; arguments here stay far from overflow.
static Vector exponential(Vector x) {
  Vector scaled = x * 1.44269504f;
  Vector shifted = scaled + 12582912.0f;
  Vector rounded = shifted - 12582912.0f;
  Vector r = (scaled - rounded) * 0.69314718f;
  Vector p = fill(1.0f / 720);
  for (float c : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) p = p * r + c;
  Whole n = __builtin_convertvector(rounded, Whole);
  Whole bits = (n + 127) << 23;
  Vector power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

static Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

struct Random {  // xorshift32, a state for each lane
  Bits state;
  explicit Random(uint32_t seed) {
    for (int i = 0; i < WIDTH; i++) state[i] = (seed * WIDTH + i + 1) * 2654435761u;
    for (int i = 0; i < 20; i++) next();
  }
  Bits next() {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
  }
  Vector unit() {  // [0, 1)
    return __builtin_convertvector((Whole)(next() >> 8), Vector) * 0x1p-24f;
  }
};

struct Net {
  Vector to_hidden[SOURCES][UNITS], to_output[CELLS + 1];
};

struct Trials {  // WIDTH of them
  Net net;
  Vector trace[SOURCES][2][CELLS];  // ds/dw to input gate, to cell
  Random random;
  explicit Trials(uint32_t seed) : random(seed) {
    for (auto& row : net.to_hidden)
      for (auto& w : row) w = random.unit() * 0.2f - 0.1f;
    for (auto& w : net.to_output) w = random.unit() * 0.2f - 0.1f;
    net.to_hidden[SOURCES - 1][BLOCKS] = fill(-3.0f);
    net.to_hidden[SOURCES - 1][BLOCKS + 1] = fill(-6.0f);
  }
  Vector sequence(int T, float rate, std::vector<Vector>& values, std::vector<Vector>& marks);
};

// One sequence of every trial: draws it, runs it, changes the weights; returns the absolute error.
Vector Trials::sequence(int T, float rate, std::vector<Vector>& values, std::vector<Vector>& marks) {
  int length[WIDTH];
  Vector target = fill(0.5f);
  for (int t = 0; t < T + T / 10; t++) {
    values[t] = random.unit() * 2.0f - 1.0f;
    marks[t] = Vector{};
  }
  Bits a = random.next(), b = random.next(), c = random.next();
  int longest = 0;
  for (int i = 0; i < WIDTH; i++) {
    length[i] = T + a[i] % (T / 10 + 1);
    longest = length[i] > longest ? length[i] : longest;
    int first = b[i] % 10, second = c[i] % (T / 2 - 1);
    second += second >= first;
    marks[first][i] = marks[second][i] = 1.0f;
    marks[0][i] = marks[length[i] - 1][i] = -1.0f;
    for (int at : {first, second})
      if (at > 0) target[i] += values[at][i] / 4;
  }
  std::memset(trace, 0, sizeof trace);
  Vector s[CELLS] = {}, y[SOURCES] = {}, error{};
  y[SOURCES - 1] = fill(1.0f);
  for (int t = 0; t < longest; t++) {
    y[0] = values[t];
    y[1] = marks[t];
    Vector net_in[UNITS];
    for (int u = 0; u < UNITS; u++) {
      net_in[u] = Vector{};
      for (int m = 0; m < SOURCES; m++) net_in[u] += net.to_hidden[m][u] * y[m];
    }
    Vector gate[GATES], squashed[CELLS], slope[2][CELLS], y_c[CELLS], h[CELLS];
    for (int u = 0; u < GATES; u++) gate[u] = sigmoid(net_in[u]);
    for (int v = 0; v < CELLS; v++) {
      Vector in = gate[BLOCKS + v / SIZE];
      squashed[v] = 4.0f * sigmoid(net_in[GATES + v]) - 2.0f;
      slope[0][v] = squashed[v] * in * (1.0f - in);
      slope[1][v] = in * (1.0f - squashed[v] * squashed[v] / 4.0f);
      s[v] += in * squashed[v];
      h[v] = 2.0f * sigmoid(s[v]) - 1.0f;
      y_c[v] = gate[v / SIZE] * h[v];
    }
    for (int m = 0; m < SOURCES; m++)
      for (int k = 0; k < 2; k++)
        for (int v = 0; v < CELLS; v++) trace[m][k][v] += slope[k][v] * y[m];
    if (t >= T - 1) {  // some trials may be at their end: only those change
      Vector ends{}, out = net.to_output[CELLS];
      for (int i = 0; i < WIDTH; i++) ends[i] = t == length[i] - 1;
      for (int v = 0; v < CELLS; v++) out += net.to_output[v] * y_c[v];
      out = sigmoid(out);
      Vector e = rate * ends * out * (1.0f - out) * (target - out), back[CELLS];
      for (int i = 0; i < WIDTH; i++)
        if (ends[i]) error[i] = std::fabs(target[i] - out[i]);
      for (int v = 0; v < CELLS; v++) back[v] = net.to_output[v] * e;
      for (int v = 0; v < CELLS; v++) net.to_output[v] += e * y_c[v];
      net.to_output[CELLS] += e;
      for (int j = 0; j < BLOCKS; j++) {
        Vector e_out = Vector{};
        for (int v = j * SIZE; v < (j + 1) * SIZE; v++) e_out += h[v] * back[v];
        e_out *= gate[j] * (1.0f - gate[j]);
        for (int m = 0; m < SOURCES; m++) net.to_hidden[m][j] += e_out * y[m];
        for (int v = j * SIZE; v < (j + 1) * SIZE; v++) {
          Vector e_s = gate[j] * (1.0f - h[v] * h[v]) / 2.0f * back[v];
          for (int m = 0; m < SOURCES; m++) {
            net.to_hidden[m][BLOCKS + j] += e_s * trace[m][0][v];
            net.to_hidden[m][GATES + v] += e_s * trace[m][1][v];
          }
        }
      }
    }
    for (int u = 0; u < GATES; u++) y[INPUTS + u] = gate[u];
    for (int v = 0; v < CELLS; v++) y[INPUTS + GATES + v] = y_c[v];
  }
  return error;
}

int main(int count, char** arguments) {
  if (count != 4) return 2;
  int T = std::atoi(arguments[1]), sequences = std::atoi(arguments[2]);
  int vectors = std::atoi(arguments[3]);
  std::vector<Trials> all;
  for (int i = 0; i < vectors; i++) all.emplace_back(i + 1);
  std::vector<Vector> values(T + T / 10), marks(T + T / 10);
  double total = 0;
  auto began = std::chrono::steady_clock::now();
  for (int n = 0; n < sequences; n++)
    for (auto& trials : all) {
      Vector error = trials.sequence(T, 0.5f, values, marks);
      if (n >= sequences - sequences / 10)
        for (int i = 0; i < WIDTH; i++) total += error[i];
    }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  double steps = 1.05 * T * sequences * WIDTH * vectors;
  std::printf("%.3f %.5f\n", 1e9 * took.count() / steps,
              total / (sequences / 10) / WIDTH / vectors);
}
