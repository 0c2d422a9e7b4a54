package forms

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	zipType = "application/zip"

	// maxDirectory bounds what is read of an archive to tell its type, in bytes.
	// Documents have some hundred parts, of 100 bytes each in the directory.
	maxDirectory = 512 << 10
	// maxContentTypes bounds the list of its parts' types.
	maxContentTypes = 256 << 10
)

// mainParts are the types that the main part of an Office document has (ECMA-376,
// part 1, section 11 to 13), by the document's. Those with macros have others.
var mainParts = map[string]string{
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml":   "docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml":         "xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": "pptx",
}

// declaredParts is what an archive must have whose entry mimetype says what it
// is (OpenDocument 1.3, part 2, section 3.3; EPUB Open Container Format 3.3,
// section 4.3).
var declaredParts = map[string]string{"odt": "content.xml", "ods": "content.xml", "odp": "content.xml", "epub": "META-INF/container.xml"}

// isPackage reports whether a file begins as an archive does that may be a document.
func isPackage(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// takesPackages reports whether the field takes any kind of archive that may be
// a document.
func (ff *fileField) takesPackages() bool {
	return len(ff.accept) == 0 || slices.ContainsFunc(ff.accept, func(a acceptable) bool {
		return a.extension == "zip" || declaredParts[a.extension] != "" || slices.Contains(slices.Collect(maps.Values(mainParts)), a.extension)
	})
}

// packageType is the type of an archive, and the extension that goes with it. A
// program that unpacks it goes by the directory at its end, and so does this: a
// document is what says so there, and has the part that makes it one. What
// claims to be a document and is none is an archive like any other; what its
// first bytes look like besides, sniffed, stays.
func packageType(content io.ReaderAt, size int64, sniffed string) (mediaType, extension string) {
	limited := &limitedReaderAt{content, maxDirectory}
	if archive, err := zip.NewReader(limited, size); err == nil {
		limited.left = maxContentTypes
		if found := documentIn(archive); found != "" {
			return fileTypes[found][0], found
		}
	}
	for extension := range declaredParts {
		if slices.Contains(fileTypes[extension], sniffed) {
			return zipType, "zip"
		}
	}
	for _, extension := range mainParts {
		if slices.Contains(fileTypes[extension], sniffed) {
			return zipType, "zip"
		}
	}
	return sniffed, ""
}

// documentIn is the extension of the document that an archive is, "" for none.
func documentIn(archive *zip.Reader) string {
	if text := readPart(archive, "mimetype"); text != nil {
		for extension, part := range declaredParts {
			if slices.Contains(fileTypes[extension], string(text)) && hasPart(archive, part) {
				return extension
			}
		}
		return ""
	}
	var types struct {
		Parts []struct {
			Name string `xml:"PartName,attr"`
			Type string `xml:"ContentType,attr"`
		} `xml:"Override"`
	}
	if xml.Unmarshal(readPart(archive, "[Content_Types].xml"), &types) != nil {
		return ""
	}
	for _, part := range types.Parts {
		if extension := mainParts[part.Type]; extension != "" && hasPart(archive, strings.TrimPrefix(part.Name, "/")) {
			return extension
		}
	}
	return ""
}

func hasPart(archive *zip.Reader, name string) bool {
	return slices.ContainsFunc(archive.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
}

// readPart is the content of a part, nil where it is not there, too large or broken.
func readPart(archive *zip.Reader, name string) []byte {
	i := slices.IndexFunc(archive.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	part, err := archive.File[i].Open()
	if err != nil {
		return nil
	}
	defer func() { _ = part.Close() }()
	text, err := io.ReadAll(io.LimitReader(part, maxContentTypes+1))
	if err != nil || len(text) > maxContentTypes {
		return nil
	}
	return text
}

var errTooMuch = errors.New("the directory is too large to be looked at")

// limitedReaderAt fails when more than so many bytes are read, so that a
// directory of millions of entries costs no memory.
type limitedReaderAt struct {
	io.ReaderAt
	left int
}

func (r *limitedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if r.left -= len(p); r.left < 0 {
		return 0, errTooMuch
	}
	return r.ReaderAt.ReadAt(p, off)
}
