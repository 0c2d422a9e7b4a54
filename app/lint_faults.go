package app

import (
	"slices"
	"strings"

	"hookgate/internal/diag"
)

// brokenBeyondEnv reports an error that is more than a value of the
// environment that is missing, as they are in a pipeline.
func brokenBeyondEnv(list diag.List) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Severity == diag.Error && d.Code != "env-missing" })
}

// hides reports whether an error may keep a name from being read that stands
// under one of the keys in some rule or form: then nothing that has a name can
// be called unused.
func hides(faults diag.List, keys ...string) bool {
	return slices.ContainsFunc(faults, func(d diag.Diagnostic) bool {
		if d.Severity != diag.Error || !strings.HasPrefix(d.Path, "rules") && !strings.HasPrefix(d.Path, "forms") {
			return false
		}
		switch d.Code {
		case "unknown-key":
			return d.Hint == "" || quotes(d.Hint, keys) // any key can be meant, or one of these
		case "missing-key":
			return quotes(d.Message, keys)
		}
		last := d.Path[strings.LastIndexByte(d.Path, '.')+1:]
		last, _, _ = strings.Cut(last, "[")
		return last == "rules" || slices.Contains(keys, last)
	})
}

// quotes reports whether a text names one of the keys.
func quotes(text string, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(text, `"`+key+`"`) })
}
