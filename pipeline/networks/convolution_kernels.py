"""The inner loops of training, compiled; they see arrays, never tensors.

`windows` and `filters` are the sizes h and counts F_h of a bank of filters. Its products are float32
[distinct, sum of h F_h]: window by window, in each offset by offset, in each its F_h filters. `index` is
int32 [batch, length]: which row of the products stands where, -1 for the boundary between two texts of a row
and for padding on the right. Each of these texts stands between zeros without end.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..compilation.kernel import kernel, kernel_part, prebuilt_kernel


@prebuilt_kernel("i8[::1], i8[::1], f4[:, ::1], i4[:, ::1]")
def pool(windows: Sizes, filters: Sizes, products: Floats, index: Ints) -> tuple[Floats, Ints]:
    """Return max over t of c_t, float32 [batch, sum of F_h], and its winner, int32 [batch, 2, sum of F_h].

    That is the t that wins, and where the text begins that its window is of. It holds the sums of one window
    at a time, so memory does not grow with the length.
    """
    pooled = np.zeros((len(index), filters.sum()), np.float32)
    winners = np.zeros((len(index), 2, pooled.shape[1]), np.int32)
    most = 0
    for count in filters:
        most = max(most, count)
    # Of one text. In `pooled` and `winners` themselves, which for all that LLVM knows overlap, filters would
    # not be compared in vectors, which takes five times as long.
    sums, best, places = np.empty(most, np.float32), np.empty(most, np.float32), np.empty(most, np.int32)
    for row in range(len(index)):
        begin = _next_text(index[row], 0)
        if begin < index.shape[1]:
            pooled[row] = -np.inf
        while begin < index.shape[1]:
            end = _text_end(index[row], begin)
            column = feature = 0
            for w in range(len(windows)):
                h, count = windows[w], filters[w]
                best[:count] = -np.inf
                for t in range(begin + 1 - h, end):
                    sums[:count] = 0
                    for k in range(max(0, begin - t), min(h, end - t)):
                        start = column + k * count
                        product = products[index[row, t + k], start : start + count]
                        for i in range(count):
                            sums[i] += product[i]
                    place = np.int32(t)
                    for i in range(count):
                        wins = sums[i] > best[i] or np.isnan(sums[i])  # a diverged training must show
                        best[i] = sums[i] if wins else best[i]
                        places[i] = place if wins else places[i]
                of_window = slice(feature, feature + count)
                _keep_larger(pooled[row, of_window], winners[row, :, of_window], best, places, begin)
                column += h * count
                feature += count
            begin = _next_text(index[row], end)
    return pooled, winners


@kernel_part
def _keep_larger(pooled: Floats, winners: Ints, best: Floats, places: Ints, begin: int) -> None:
    """Take over what is larger in the text that begins there than in those before it."""
    for i in range(len(pooled)):
        if best[i] > pooled[i] or np.isnan(best[i]):
            pooled[i] = best[i]
            winners[0, i] = places[i]
            winners[1, i] = begin


@prebuilt_kernel("i8[::1], i8[::1], f4[:, ::1], i4[:, :, ::1], i4[:, ::1]")
def winning_entries(
    windows: Sizes, filters: Sizes, upstream: Floats, winners: Ints, index: Ints
) -> tuple[Floats, Ints, Ints]:
    """Return the products' gradient as entries float32 [n] at (token, column) int32 [n].

    Each winning window passes its feature's gradient to every product that it is the sum of.
    """
    limit = len(index) * (windows * filters).sum()
    entries = np.empty(limit, np.float32)
    tokens = np.empty(limit, np.int32)
    columns = np.empty(limit, np.int32)
    n = 0
    ends = np.empty(index.shape[1] + 1, np.int32)  # of the text that begins there
    for row in range(len(index)):
        ends[0] = 0  # without tokens
        begin = _next_text(index[row], 0)
        while begin < index.shape[1]:
            ends[begin] = _text_end(index[row], begin)
            begin = _next_text(index[row], ends[begin])
        column = feature = 0
        for w in range(len(windows)):
            h, count = windows[w], filters[w]
            for i in range(count):
                passed = upstream[row, feature + i]
                if passed != 0:  # dropout and ReLU let about half through
                    t, begin = winners[row, 0, feature + i], winners[row, 1, feature + i]
                    for k in range(max(0, begin - t), min(h, ends[begin] - t)):
                        entries[n] = passed
                        tokens[n] = index[row, t + k]
                        columns[n] = column + k * count + i
                        n += 1
            column += h * count
            feature += count
    return entries[:n], tokens[:n], columns[:n]


@prebuilt_kernel("f4[::1], i4[::1], i4[::1], f4[:, ::1], i8")
def sparse_product(entries: Floats, rows: Ints, columns: Ints, matrix: Floats, height: int) -> Floats:
    """Return S matrix, for the sparse S with `height` rows and S[rows[i], columns[i]] += entries[i].

    Row by row, four entries at a time: the result is read and written once for four rows of `matrix`.
    """
    product = np.zeros((height, matrix.shape[1]), np.float32)
    order, starts = _by_row(rows, height)
    for row in range(height):
        target = product[row]
        i, end = starts[row], starts[row + 1]
        while i + 4 <= end:
            p, q, r, s = order[i], order[i + 1], order[i + 2], order[i + 3]
            a, b, c, d = matrix[columns[p]], matrix[columns[q]], matrix[columns[r]], matrix[columns[s]]
            w, x, y, z = entries[p], entries[q], entries[r], entries[s]
            for k in range(len(target)):
                target[k] += w * a[k] + x * b[k] + y * c[k] + z * d[k]
            i += 4
        while i < end:
            p = order[i]
            a = matrix[columns[p]]
            for k in range(len(target)):
                target[k] += entries[p] * a[k]
            i += 1
    return product


@kernel
def _by_row(rows: Ints, count: int) -> tuple[Ints, Sizes]:
    """Return the entries' numbers in the order of their rows, and where each row starts, [count + 1]."""
    starts = np.zeros(count + 1, np.int64)
    for row in rows:
        starts[row + 1] += 1
    for row in range(count):
        starts[row + 1] += starts[row]
    order = np.empty(len(rows), np.int32)
    free = starts.copy()
    for i in range(len(rows)):
        order[free[rows[i]]] = i
        free[rows[i]] += 1
    return order, starts


@prebuilt_kernel("f4[:, ::1], f4[:, ::1], f4[:, ::1], i8[::1], f4, f4")
def adadelta_rows(
    g: Floats, mean_a: Floats, mean_d: Floats, missed: Sizes, rho: np.float32, epsilon: np.float32
) -> tuple[Floats, Floats, Floats]:
    """Return a, d and u of LazyAdadelta for rows [n, dimensions] that missed so many steps [n]."""
    a, d, u = np.empty_like(g), np.empty_like(g), np.empty_like(g)
    complement = np.float32(1) - rho
    for row in range(len(g)):
        decay = np.float32(rho ** missed[row])
        for k in range(g.shape[1]):
            gradient, late = g[row, k], decay * mean_d[row, k]
            squared = rho * decay * mean_a[row, k] + complement * gradient * gradient
            update = np.sqrt((late + epsilon) / (squared + epsilon)) * gradient
            a[row, k] = squared
            d[row, k] = rho * late + complement * update * update
            u[row, k] = update
    return a, d, u


@prebuilt_kernel("f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4, f4, f4, f4")
def adam_rows(
    g: Floats,
    x: Floats,
    m: Floats,
    v: Floats,
    rate: np.float32,
    beta_1: np.float32,
    beta_2: np.float32,
    epsilon: np.float32,
) -> tuple[Floats, Floats, Floats]:
    """Return x, m and v after a step of LazyAdam, for rows [n, dimensions] with the gradient g.

    `rate` is the learning rate with the correction of both means' bias.
    """
    new_x, new_m, new_v = np.empty_like(x), np.empty_like(m), np.empty_like(v)
    one = np.float32(1)
    for row in range(len(g)):
        for k in range(g.shape[1]):
            gradient = g[row, k]
            momentum = beta_1 * m[row, k] + (one - beta_1) * gradient
            velocity = beta_2 * v[row, k] + (one - beta_2) * gradient * gradient
            new_x[row, k] = x[row, k] - rate * momentum / (np.sqrt(velocity) + epsilon)
            new_m[row, k] = momentum
            new_v[row, k] = velocity
    return new_x, new_m, new_v


@kernel_part
def _next_text(row: Ints, place: int) -> int:
    """Return where the next text of a row begins, or the row's length."""
    while place < len(row) and row[place] < 0:
        place += 1
    return place


@kernel_part
def _text_end(row: Ints, place: int) -> int:
    """Return the end of the text that has a token at this place."""
    while place < len(row) and row[place] >= 0:
        place += 1
    return place
