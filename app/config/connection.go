package config

import (
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// The bounds of what a connection can say.
const (
	maxTimeout     = 10 * time.Minute
	maxConcurrency = 1000
	maxRetry       = 30 * 24 * time.Hour
	maxDelays      = 100
)

// connections reads the connections and the keys that all of them have.
func connections(n yamlnode.Node) ([]Connection, diag.List) {
	named, faults := entries(n, "a connection", names{})
	var list []Connection
	for _, e := range named {
		c := defaultConnection(e)
		faults = append(faults, e.Node.Decode("a connection", &c)...)
		faults = append(faults, c.misspelt()...)
		faults = append(faults, c.check()...)
		list = append(list, c)
	}
	return list, faults
}

// misspelt finds what could be a common key in a connection without a type.
// In one with a type, that type's connector judges the other keys.
func (c *Connection) misspelt() diag.List {
	var list diag.List
	for _, f := range c.Settings {
		if c.Type.IsZero() && diag.Suggest(f.Key.Value, commonKeys()) != "" {
			list = append(list, yamlnode.UnknownKey(f.Key, c.Noun(), commonKeys(), nil))
		}
	}
	return list
}

// check judges values that have the right type. A key whose value could not
// be decoded has its default still, which passes.
func (c *Connection) check() diag.List {
	var list diag.List
	if c.Timeout <= 0 || c.Timeout > maxTimeout {
		list = append(list, c.Node.Get("timeout").Diag("bad-value", "", `"timeout" must be more than 0 and at most 10m`))
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		list = append(list, c.Node.Get("concurrency").Diag("bad-value", "", `"concurrency" must be from 1 to %d`, maxConcurrency))
	}
	return append(list, c.Retry.check(c.Node.Get("retry"))...)
}

func (r *Retry) check(n yamlnode.Node) diag.List {
	var list diag.List
	length, delays := n.Get("for"), n.Get("delays")
	if !length.IsZero() && !delays.IsZero() {
		list = append(list, n.Diag("conflict", `keep one of them: "for" goes on in the published schedule`, `retry has both "for" and "delays"`))
	}
	if d, ok := duration(length); ok && (d <= 0 || d > maxRetry) {
		list = append(list, length.Diag("bad-value", "to retry nothing, write delays: []", `"for" must be more than 0 and at most 30d`))
	}
	items := delays.Items()
	if len(items) > maxDelays {
		list = append(list, delays.Diag("bad-value", "", `"delays" can have at most %d entries`, maxDelays))
	}
	for _, item := range items {
		if d, ok := duration(item); ok && d > maxRetry {
			list = append(list, item.Diag("bad-value", "", "a delay can be at most 30d"))
		}
	}
	if delays.Kind() == yamlnode.List && r.Delays == nil {
		r.Delays = []time.Duration{}
	}
	return list
}

// duration reads a scalar whose type the decoder has judged already.
func duration(n yamlnode.Node) (time.Duration, bool) {
	if n.Kind() != yamlnode.Scalar {
		return 0, false
	}
	d, err := yamlnode.ParseDuration(n.Text().Value)
	return d, err == nil
}
