package broker_test

import (
	"os"
	"testing"

	"hookgate/test/rabbittest"
)

func TestMain(m *testing.M) { os.Exit(rabbittest.Main(m)) }
