package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/valyala/fastjson"
)

// maxSample limits what events send reads, well above any limit of a server.
const maxSample = 64 << 20

func newEventsSend(s *session) *cobra.Command {
	var sets []string
	var contentType string
	c := &cobra.Command{
		Use: "send SOURCE FILE|-", Short: "Send a sample through the running server",
		Long: `Send a sample through the running server, as if SOURCE had received it: rules
run and deliveries are made. Only authentication and the recognition of repeats
by signature headers are left out.

--set changes a value of a JSON sample first: a path of names and list indexes
with dots, and the new value, as JSON or else as text.`,
		Example: "  hookgate events send sitejet sample.json --set website.status=Done",
		Args:    exactly("a source", "a file (or -)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.readSample(args[1])
			if err != nil {
				return err
			}
			if body, err = setValues(body, sets); err != nil {
				return err
			}
			if contentType == "" {
				contentType = sampleType(args[1], body)
			}
			return s.sendEvent(cmd, args[0], contentType, body)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "change a value first: `path=value`; may be given more than once")
	c.Flags().StringVar(&contentType, "content-type", "", "the sample's content `type` (else by its name and content)")
	return c
}

func (s *session) readSample(name string) ([]byte, error) {
	in := s.stdin
	if name != "-" {
		file, err := os.Open(filepath.Clean(name))
		if err != nil {
			return nil, usageError("", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, maxSample+1))
	if err != nil {
		return nil, usageError("", fmt.Errorf("reading %s: %w", name, err))
	}
	if len(body) > maxSample {
		return nil, usageError("", fmt.Errorf("%s is larger than %d MB", name, maxSample>>20))
	}
	return body, nil
}

// setValues changes values of a JSON text and leaves the rest, with the order
// of its keys and the digits of its numbers, as it is.
func setValues(body []byte, sets []string) ([]byte, error) {
	if len(sets) == 0 {
		return body, nil
	}
	root, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, usageError("", fmt.Errorf("--set needs a JSON sample: %w", err))
	}
	for _, set := range sets {
		path, text, ok := strings.Cut(set, "=")
		if !ok || path == "" {
			return nil, usageError("", fmt.Errorf("--set %q: write path=value", set))
		}
		value, err := fastjson.Parse(text)
		if err != nil { // no JSON: a text
			value = textValue(text)
		}
		if err := setValue(root, strings.Split(path, "."), value); err != nil {
			return nil, usageError("", fmt.Errorf("--set %s: %w", path, err))
		}
	}
	return root.MarshalTo(nil), nil
}

func textValue(text string) *fastjson.Value {
	var a fastjson.Arena
	return a.NewString(text)
}

// setValue goes down the path, making the objects that are missing.
func setValue(at *fastjson.Value, path []string, value *fastjson.Value) error {
	name, rest := path[0], path[1:]
	switch at.Type() {
	case fastjson.TypeObject:
	case fastjson.TypeArray:
		if i, err := strconv.Atoi(name); err != nil || i < 0 || i > len(at.GetArray()) {
			return fmt.Errorf("%q is no index of a list of %d", name, len(at.GetArray()))
		}
	default:
		return fmt.Errorf("%q is below a %s", name, at.Type())
	}
	if len(rest) == 0 {
		at.Set(name, value)
		return nil
	}
	next := at.Get(name)
	if next == nil || next.Type() == fastjson.TypeNull {
		var a fastjson.Arena
		next = a.NewObject()
		at.Set(name, next)
	}
	return setValue(next, rest, value)
}

// sampleType guesses a sample's content type.
func sampleType(name string, body []byte) string {
	if fastjson.ValidateBytes(body) == nil {
		return "application/json"
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xml":
		return "application/xml"
	case ".form":
		return "application/x-www-form-urlencoded"
	}
	if name != "-" && strings.EqualFold(filepath.Ext(name), ".txt") && !strings.HasPrefix(strings.TrimSpace(string(body)), "{") {
		return "text/plain"
	}
	return "application/json" // the server says what is wrong with it
}

func (s *session) sendEvent(cmd *cobra.Command, source, contentType string, body []byte) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	accepted, err := server.Send(cmd.Context(), source, contentType, body)
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(accepted)
	}
	s.out.Println(accepted.ID.String())
	s.note("sent; hookgate events show %s tells what became of it", accepted.ID)
	return nil
}
