package body_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"hookgate/internal/body"
)

// A body weighs what it is made of, not what it is on the wire.
func TestWeigh(t *testing.T) {
	t.Parallel()
	zeros := "[" + strings.Repeat("0,", 100_000) + "0]"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(zeros))
	_ = w.Close()
	for name, c := range map[string]struct {
		in          body.Input
		least, most int64
	}{
		"empty":       {body.Input{}, 0, 1000},
		"usual":       {body.Input{ContentType: "application/json", Raw: []byte(`{"a":1,"b":[1,2]}`)}, 1000, 5000},
		"long text":   {body.Input{ContentType: "application/json", Raw: []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)}, 3 << 20, 4 << 20},
		"values":      {body.Input{ContentType: "application/json", Raw: []byte(zeros)}, 40 << 20, 60 << 20},
		"packed":      {body.Input{ContentType: "application/json", ContentEncoding: "gzip", Raw: packed.Bytes()}, 40 << 20, 60 << 20},
		"packed form": {body.Input{ContentType: "application/x-www-form-urlencoded", ContentEncoding: "gzip", Raw: packed.Bytes()}, 40 << 20, 60 << 20},
		"elements":    {body.Input{ContentType: "text/xml", Raw: []byte("<a>" + strings.Repeat("<b></b>", 10_000) + "</a>")}, 6 << 20, 9 << 20},
		"nested keys": {body.Input{ContentType: "application/x-www-form-urlencoded", Raw: []byte(strings.Repeat("a"+strings.Repeat("%5Bb%5D", 60)+"=1&", 1000))}, 28 << 20, 34 << 20},
		"parts":       {body.Input{ContentType: "multipart/form-data; boundary=b", Raw: []byte(strings.Repeat("--b\r\n\r\n\r\n", 900))}, 2 << 20, 4 << 20},
	} {
		if got := body.Weigh(c.in, body.DefaultLimits()); got < c.least || got > c.most {
			t.Errorf("%s: %d, want %d to %d", name, got, c.least, c.most)
		}
	}
}
