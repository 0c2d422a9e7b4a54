package web

import (
	"bytes"
	"encoding/json"
)

// plainJSON is json.Marshal that leaves <, > and & as they are: what rules
// have rendered is shown as it is sent.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
