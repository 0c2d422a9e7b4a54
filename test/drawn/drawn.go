// Package drawn draws values for property tests of several packages.
package drawn

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// JSON draws a JSON value, nested so deep at most, whose keys are few, so that paths meet them.
func JSON(depth int) *rapid.Generator[string] {
	scalar := rapid.SampledFrom([]string{`null`, `true`, `false`, `0`, `7`, `-3`, `1.5`, `1e3`, `1.0`, `-0`, `19.90`, `1e308`, `1e-400`, `0.10000000000000000001`, `9223372036854775807`, `9007199254740993`, `99999999999999999999`, `""`, `"a"`, `"ä\n"`, `"7"`, "\"\xffa\"", `"\ufffda"`})
	if depth == 0 {
		return scalar
	}
	return rapid.Custom(func(t *rapid.T) string {
		inner := JSON(depth - 1)
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			return scalar.Draw(t, "scalar")
		case 1:
			return "[" + strings.Join(rapid.SliceOfN(inner, 0, 3).Draw(t, "items"), ",") + "]"
		}
		var fields []string
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			key := rapid.SampledFrom([]string{`a`, `b`, `c`, `\u0061`, `a b`, `0`}).Draw(t, "key")
			fields = append(fields, fmt.Sprintf(`"%s": %s`, key, inner.Draw(t, "value")))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	})
}
