package yamlnode_test

import (
	"testing"

	"hookgate/internal/yamlnode"
)

// What is no length of time is refused in each unit, whoever reads the number.
func TestParseDuration_faults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "NaNd", "nanw", "Infd", "-1d", "-1s", "1e300d", "40000d", "9999999h", "5 apples"} {
		if d, err := yamlnode.ParseDuration(text); err == nil {
			t.Errorf("%q is %s", text, d)
		}
	}
}
