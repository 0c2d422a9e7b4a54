package builder

import (
	"embed"
	"path"
)

//go:embed samples
var samples embed.FS

// sampleTypes are the Content-Types of the samples, by the ends of their names.
var sampleTypes = map[string]string{
	".json":      "application/json",
	".form":      "application/x-www-form-urlencoded",
	".multipart": "multipart/form-data; boundary=B",
}

// Sample is a post of the builder: in the shape that its documentation or its
// code has, with values of our own.
func (f Format) Sample() (contentType, content string) {
	for ext, contentType := range sampleTypes {
		if text, err := samples.ReadFile(path.Join("samples", f.Name+ext)); err == nil {
			return contentType, string(text)
		}
	}
	return "", ""
}
