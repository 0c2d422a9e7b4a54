package config

import (
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// maxDelays is how many waits a connection can say.
const maxDelays = 100

// connections reads the connections and the keys that all of them have.
func connections(n yamlnode.Node) ([]Connection, diag.List) {
	named, faults := entries(n, "a connection", names{})
	var list []Connection
	for _, e := range named {
		c := defaultConnection(e)
		faults = append(faults, e.Node.Decode("a connection", &c)...)
		faults = append(faults, c.misspelt()...)
		faults = append(faults, c.Retry.check(c.Node.Get("retry"))...)
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

// check judges what no key of it can tell alone.
func (*Retry) check(n yamlnode.Node) diag.List {
	var list diag.List
	length, delays := n.Get("for"), n.Get("delays")
	if !length.IsZero() && !delays.IsZero() {
		list = append(list, n.Diag("conflict", `keep one of them: "for" goes on in the published schedule`, `retry has both "for" and "delays"`))
	}
	if len(delays.Items()) > maxDelays {
		list = append(list, delays.Diag("bad-value", "", `"delays" can have at most %d entries`, maxDelays))
	}
	return list
}
