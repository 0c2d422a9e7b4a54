package lang

import (
	"crypto/sha1" //nolint:gosec // receivers ask for it as a name of records, not as protection
	"crypto/sha512"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

var formatFunctions = []function{
	{
		name: "csv", params: []param{text("text").upTo(500)}, result: listResult,
		doc:     "The rows of a CSV text as objects, whose keys are its first line. Its separator is a comma, a semicolon or a tab.",
		example: `csv("a,b\n1,2")[0].b`, value: `"2"`, more: []Example{{`csv("name;price\nAda;\"1,5\"")`, `[{"name":"Ada","price":"1,5"}]`}},
		call: func(m *meter, args []any) (any, error) { return readCSV(m, textOr(args[0], "")) },
	},
	{
		name: "to_csv", params: []param{listOf("rows"), text("separator").or(`","`)}, result: textResult, numbers: writtenNumbers,
		doc:     "A list of objects, or of lists, as CSV. Of objects the first line are their keys, sorted. Values are written as they are.",
		example: `to_csv(data.items, ";")`, value: `"price;sku\n19.90;a\n5;b\n"`,
		call: func(m *meter, args []any) (any, error) { return writeCSV(m, itemsOf(args[0]), textOr(args[1], ",")) },
	},
	{
		name: "urldecode", params: []param{text("text")}, result: textResult,
		doc:     "The text of a value in a URL's query; null where it is none.",
		example: `urldecode("a+b%26c")`, value: `"a b&c"`,
		call: func(_ *meter, args []any) (any, error) {
			s, err := url.QueryUnescape(textOr(args[0], ""))
			if err != nil {
				return nil, nil // what cannot be read is null
			}
			return s, nil
		},
	},
	{
		name: "parse_url", params: []param{text("url")}, result: objectResult,
		doc:     "The parts of an address: scheme, host, port, path, query and fragment; null where it is none.",
		example: `parse_url("https://x.de/a?utm_source=mail").query.utm_source`, value: `"mail"`,
		more: []Example{{`parse_url("https://x.de:8443/a#b")`, `{"fragment":"b","host":"x.de","path":"/a","port":"8443","query":{},"scheme":"https"}`}},
		call: func(_ *meter, args []any) (any, error) { return parseURL(strings.TrimSpace(textOr(args[0], ""))), nil },
	},
	{
		name: "query_string", params: []param{object("object")}, result: textResult, numbers: writtenNumbers,
		doc:     "An object as the query of a URL; a list stands there once for each item, and null is left out.",
		example: `query_string({"name": "Ada L", "tag": ["a", "b"]})`, value: `"name=Ada+L&tag=a&tag=b"`,
		call: func(_ *meter, args []any) (any, error) { return queryString(args[0]) },
	},
	{
		name: "md5", params: []param{text("text")}, own: true, null: "error",
		doc:     "The MD5 digest in hexadecimal digits.",
		example: `md5("a")`, value: `"0cc175b9c0f1b6a831c399e269772661"`,
		call: func(_ *meter, args []any) (any, error) { return digest("md5", args, md5Hex) },
	},
	{
		name: "sha256", params: []param{text("text")}, own: true, null: "error",
		doc:     "The SHA-256 digest in hexadecimal digits.",
		example: `sha256("a")`, value: `"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`,
		call: func(_ *meter, args []any) (any, error) { return digest("sha256", args, sha256Hex) },
	},
	{
		name: "sha1", params: []param{text("text")}, result: textResult,
		doc:     "The SHA-1 digest in hexadecimal digits.",
		example: `sha1("a")`, value: `"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"`,
		call: func(_ *meter, args []any) (any, error) {
			sum := sha1.Sum([]byte(textOr(args[0], ""))) //nolint:gosec // as above
			return hex.EncodeToString(sum[:]), nil
		},
	},
	{
		name: "sha512", params: []param{text("text")}, result: textResult,
		doc:     "The SHA-512 digest in hexadecimal digits.",
		example: `sha512("a")[0:16]`, value: `"1f40fc92da241694"`,
		call: func(_ *meter, args []any) (any, error) {
			sum := sha512.Sum512([]byte(textOr(args[0], "")))
			return hex.EncodeToString(sum[:]), nil
		},
	},
	{
		name: "uuid", params: []param{text("text")}, result: textResult,
		doc:     "The UUID of a text, always the same for the same text: version 5 in the name space of URLs.",
		example: `uuid("https://example.com/")`, value: `"dd2c1780-811a-5296-81c5-178a0ef488bc"`,
		call: func(_ *meter, args []any) (any, error) {
			return uuid.NewSHA1(uuid.NameSpaceURL, []byte(textOr(args[0], ""))).String(), nil
		},
	},
	{
		name: "urlencode", params: []param{text("text")}, own: true, null: "error",
		doc:     "A text as a value in a URL's query.",
		example: `urlencode("a b&c")`, value: `"a+b%26c"`,
		call: urlencode,
	},
	{
		name: "file_url", params: []param{object("file"), text("good").or(`"30d"`)}, own: true,
		doc:     "A link to a file of a form, which is good for so long. docs/forms.md says more.",
		example: `file_url(data.brief)`, value: `"/files/fil_1"`,
		call: fileURL,
	},
}

var formatBuiltins = []builtinDoc{
	{"toJSON(value)", "A value as JSON.", `"null"`, `toJSON({"a": 1})`, `"{\"a\":1}"`},
	{"fromJSON(text)", "The value that a JSON text says.", "error", `fromJSON("[1, 2]")[1]`, `2`},
	{"toBase64(text)", "A text in Base64.", "error", `toBase64("Ada")`, `"QWRh"`},
	{"fromBase64(text)", "The text that Base64 says.", "error", `fromBase64("QWRh")`, `"Ada"`},
}

// readCSV is null where the text is no CSV.
func readCSV(m *meter, s string) (any, error) {
	const mostCells, mostColumns = 20_000, 1_000
	s = strings.TrimPrefix(s, "\ufeff")
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = separatorOf(s), true, -1, true
	var names []string
	rows, cells := []any{}, 0
	for {
		record, err := r.Read()
		if err != nil && len(record) == 0 {
			if len(names) == 0 || !isEnd(err) {
				return nil, m.clock()
			}
			return rows, m.clock()
		}
		if len(record) > mostColumns {
			return nil, limitf("csv: more than %d columns are too many", mostColumns)
		}
		if names == nil {
			names = columnNames(record)
			continue
		}
		if cells += len(record); cells > mostCells || len(rows) == maxItems {
			return nil, limitf("csv: more than %d rows or %d values are too many", maxItems, mostCells)
		}
		row := make(map[string]any, len(record))
		for i, value := range record {
			row[columnName(names, i)] = value
		}
		rows = append(rows, row)
		if err := m.tick(); err != nil {
			return nil, err
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) }

// separatorOf is what parts the values of a CSV text's first line.
func separatorOf(s string) rune {
	line, _, _ := strings.Cut(s, "\n")
	best, most := ',', 0
	for _, separator := range []rune{',', ';', '\t'} {
		if n := strings.Count(line, string(separator)); n > most {
			best, most = separator, n
		}
	}
	return best
}

// columnNames are the keys of the rows: one that is empty or was there has its
// number in it.
func columnNames(record []string) []string {
	names := make([]string, 0, len(record))
	seen := map[string]bool{}
	for i, name := range record {
		name = strings.TrimSpace(name)
		if name == "" || seen[name] {
			name = columnName(nil, i)
		}
		seen[name] = true
		names = append(names, name)
	}
	return names
}

func columnName(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "column_" + strconv.Itoa(i+1)
}

func writeCSV(m *meter, rows []any, separator string) (any, error) {
	if !slices.Contains([]string{",", ";", "\t", "|"}, separator) {
		return nil, limitf(`to_csv: the separator is ",", ";", "|" or a tab, not %q`, separator)
	}
	names, err := columnsOf(rows)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = rune(separator[0])
	records := make([]any, 0, len(rows)+1)
	if names != nil {
		header := make([]any, len(names))
		for i, name := range names {
			header[i] = name
		}
		records = append(records, header)
	}
	var record []string
	for _, row := range append(records, rows...) {
		if record, err = appendRow(record[:0], row, names); err != nil {
			return nil, err
		}
		if err := w.Write(record); err != nil {
			return nil, limitf("to_csv: %s", err)
		}
		if w.Flush(); b.Len() > maxText {
			return nil, m.room("to_csv", b.Len())
		}
		if err := m.tick(); err != nil {
			return nil, err
		}
	}
	return b.String(), nil
}

// columnsOf are the keys of all rows, sorted; nil: they are lists.
func columnsOf(rows []any) ([]string, error) {
	const most = 1_000
	known := map[string]bool{}
	objects := 0
	for _, row := range rows {
		if object, ok := row.(map[string]any); ok {
			objects++
			for key := range object {
				known[key] = true
			}
		} else if _, isList := listFrom(row); !isList {
			return nil, limitf("to_csv needs objects or lists as rows, but got %s", kindOf(row))
		}
		if len(known) > most {
			return nil, limitf("to_csv: more than %d columns are too many", most)
		}
	}
	switch objects {
	case 0:
		return nil, nil
	case len(rows):
		return slices.Sorted(maps.Keys(known)), nil
	}
	return nil, limitf("to_csv needs either objects or lists as rows, not both")
}

// appendRow appends the values of a row as texts.
func appendRow(record []string, row any, names []string) ([]string, error) {
	add := func(v any) error {
		s, err := textOf(v, maxText)
		if err != nil {
			return limitf("to_csv: %s", err)
		}
		record = append(record, s)
		return nil
	}
	if object, ok := row.(map[string]any); ok {
		for _, name := range names {
			if err := add(object[name]); err != nil {
				return nil, err
			}
		}
		return record, nil
	}
	values, _ := listFrom(row)
	for _, v := range values {
		if err := add(v); err != nil {
			return nil, err
		}
	}
	return record, nil
}

func parseURL(s string) any {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "?") {
		return nil
	}
	query := map[string]any{}
	for key, values := range u.Query() {
		if len(values) == 1 {
			query[key] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		query[key] = list
	}
	return map[string]any{
		"scheme": u.Scheme, "host": u.Hostname(), "port": u.Port(), "path": u.Path, "query": query, "fragment": u.Fragment,
	}
}

func queryString(v any) (any, error) {
	object, _ := v.(map[string]any)
	query := url.Values{}
	for key, value := range object {
		values, isList := listFrom(value)
		if !isList {
			values = []any{value}
		}
		for _, one := range values {
			if one == nil {
				continue
			}
			s, err := scalarText("query_string", one)
			if err != nil {
				return nil, err
			}
			query.Add(key, s)
		}
	}
	return query.Encode(), nil
}
