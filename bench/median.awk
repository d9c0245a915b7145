# SPDX-License-Identifier: MIT
# Of a list of numbers with spaces between; "" of none. Written for any awk.

function median(list,    n, i, j, value, sorted) {
    n = split(list, sorted, " ")
    for (i = 2; i <= n; i++) {
        value = sorted[i] + 0
        for (j = i - 1; j > 0 && sorted[j] + 0 > value; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = value
    }
    if (n == 0) return ""
    return n % 2 ? sorted[(n + 1) / 2] + 0 : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}
