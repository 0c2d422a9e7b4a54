package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/app/config"
	"hookgate/app/deliver"
	"hookgate/internal/yamlnode"
)

// What the configuration calls the usual delays are those that deliveries have.
//
// Promise: P9.
func TestRetry_schedule(t *testing.T) {
	t.Parallel()
	var told config.Retry
	yamlnode.Defaults(&told)
	if diff := cmp.Diff(deliver.Schedule(), told.Delays); diff != "" {
		t.Errorf("deliver.Schedule has (-), the tag of retry.delays (+):\n%s", diff)
	}
}
