package forms

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// fileSettings are the keys of a file field.
type fileSettings struct {
	Accept   []yamlnode.Text `yaml:"accept,single" doc:"Of a file: its types, as extensions or image/*, audio/*, video/*; every type where left out." example:"[pdf, docx, image/*]"`
	MaxSize  yamlnode.Node   `yaml:"max_size" doc:"Of a file: the largest." type:"size" default:"10MB" example:"5MB"`
	MaxFiles yamlnode.Text   `yaml:"max_files" doc:"Of files with multiple: how many, up to 100." type:"whole number" default:"5" example:"3"`
}

// wholeKinds are the values of accept that stand for many extensions.
var wholeKinds = []string{"image/*", "audio/*", "video/*"}

// compileFile reads what a file field takes, and refuses these keys for other
// fields.
func (s *fileSettings) compileFile(fd *field) diag.List {
	if !fd.isFile() {
		return s.misplaced(fd)
	}
	fd.file = &fileField{maxSize: defaultMaxFile, maxFiles: 1}
	list := s.accept(fd.file)
	if !s.MaxSize.IsZero() {
		size, faults := sizeOf(s.MaxSize, "max_size")
		list = append(list, faults...)
		fd.file.maxSize = size
	}
	return append(list, s.maxFiles(fd.file)...)
}

// several makes the field one for several files, or not.
func (s *fieldSettings) several(to *fileField, multiple bool) {
	if to.multiple = multiple; multiple && s.MaxFiles.IsZero() {
		to.maxFiles = defaultMaxFiles
	}
}

func (s *fileSettings) misplaced(fd *field) diag.List {
	fault := func(t yamlnode.Text, key string) diag.List {
		return diag.List{t.Diag("bad-value", `write "type: file"`, `a %s field has no %q`, fd.kind, key)}
	}
	switch {
	case len(s.Accept) > 0:
		return fault(s.Accept[0], "accept")
	case !s.MaxSize.IsZero():
		return diag.List{s.MaxSize.Diag("bad-value", `write "type: file"`, `a %s field has no "max_size"`, fd.kind)}
	case !s.MaxFiles.IsZero():
		return fault(s.MaxFiles, "max_files")
	}
	return nil
}

func (s *fileSettings) maxFiles(to *fileField) diag.List {
	if s.MaxFiles.IsZero() {
		return nil
	}
	const most = 100
	n, err := strconv.Atoi(s.MaxFiles.Value)
	switch {
	case err != nil || n < 1 || n > most:
		return diag.List{s.MaxFiles.Diag("bad-value", "", `"max_files" must be from 1 to %d`, most)}
	}
	to.maxFiles = n
	return nil
}

// oneFile refuses max_files for a field that takes one.
func (s *fieldSettings) oneFile(fd *field) diag.List {
	if !fd.isFile() || fd.file.multiple || fd.file.maxFiles == 1 {
		return nil
	}
	return diag.List{s.MaxFiles.Diag("bad-value", "add multiple: true", "the field takes one file")}
}

// accept reads the extensions, with or without a dot, and image/* and the like.
func (s *fileSettings) accept(to *fileField) diag.List {
	var list diag.List
	var words []string
	for _, text := range s.Accept {
		word := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text.Value), "."))
		if slices.Contains(wholeKinds, word) {
			to.accept = append(to.accept, acceptable{prefix: strings.TrimSuffix(word, "*")})
			words = append(words, word)
			continue
		}
		extension := word
		if same, ok := sameExtension[word]; ok {
			extension = same
		}
		if _, known := fileTypes[extension]; !known {
			list = append(list, text.Diag("unknown-type", acceptHint(word), "%q is no type of file that can be told by its content", text.Value))
			continue
		}
		to.accept = append(to.accept, acceptable{extension: extension})
		words = append(words, word)
	}
	to.words = strings.Join(words, ", ")
	return list
}

func acceptHint(word string) string {
	if _, sub, ok := strings.Cut(word, "/"); ok { // a media type, as HTML's accept takes it
		for _, extension := range append([]string{sub}, slices.Sorted(maps.Keys(fileTypes))...) {
			if slices.Contains(fileTypes[extension], word) {
				return "write " + extension
			}
		}
		word = sub
	}
	known := slices.Concat(slices.Sorted(maps.Keys(fileTypes)), wholeKinds)
	if hint := diag.DidYouMean(word, known); hint != "" {
		return hint
	}
	return "write extensions such as pdf, png, docx, or image/*; leave accept out for every type"
}

// htmlAccept is the value of an input's accept attribute.
func (ff *fileField) htmlAccept() string {
	parts := strings.Split(ff.words, ", ")
	for i, part := range parts {
		if part != "" && !strings.Contains(part, "/") {
			parts[i] = "." + part
		}
	}
	return strings.Join(parts, ",")
}

// sizeOf reads a size that is more than nothing.
func sizeOf(n yamlnode.Node, key string) (int64, diag.List) {
	var size yamlnode.Size
	if n.Kind() != yamlnode.Scalar {
		return 0, diag.List{n.Diag("wrong-type", "", "%q must be a size", key)}
	}
	if err := size.UnmarshalText([]byte(n.Text().Value)); err != nil {
		return 0, diag.List{n.Diag("bad-value", "", "%q: %s", key, err)}
	}
	if size < 1 {
		return 0, diag.List{n.Diag("bad-value", "", "%q must be more than nothing", key)}
	}
	return int64(size), nil
}

// upload sets the limit of all files together: what the fields allow, within
// reason, unless the configuration says it.
func (s *settings) upload(f *Form) diag.List {
	var allowed, largest int64
	for _, fd := range f.fields {
		if fd.isFile() && fd.file != nil {
			allowed += fd.file.maxSize * int64(fd.file.maxFiles)
			largest = max(largest, fd.file.maxSize)
		}
	}
	f.maxUpload = min(allowed, max(defaultMaxUpload, largest))
	if s.MaxUpload.IsZero() {
		return nil
	}
	size, list := sizeOf(s.MaxUpload, "max_upload")
	switch {
	case len(list) > 0:
		return list
	case allowed == 0:
		return diag.List{s.MaxUpload.Diag("bad-value", "add a field of type file, or leave it out", `"max_upload" is for files, and the form has no field for them`)}
	case size < largest:
		return diag.List{s.MaxUpload.Diag("bad-value", "", `"max_upload" is less than the "max_size" of a field`)}
	}
	f.maxUpload = size
	return nil
}

// sizeText is a size for people.
func sizeText(n int64) string {
	switch {
	case n >= 1<<20:
		return trimZero(float64(n)/(1<<20)) + " MB"
	case n >= 1<<10:
		return trimZero(float64(n)/(1<<10)) + " KB"
	}
	return fmt.Sprintf("%d bytes", n)
}

func trimZero(x float64) string { return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") }

func jsonInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }
