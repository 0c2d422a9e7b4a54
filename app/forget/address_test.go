package forget_test

import (
	"errors"
	"strings"
	"testing"

	"hookgate/app/forget"
	"hookgate/internal/event"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"ada@example.com", "  Ada@Example.COM\n", "ada+shop@example.com", "ö@müller.example"} {
		if _, err := forget.Parse(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ada", "@example.com", "ada@", "Ada <ada@example.com>", "a@b, c@d", "a b@c", "a\x00@b"} {
		if _, err := forget.Parse(bad); !errors.Is(err, forget.ErrNoAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAddress_In(t *testing.T) {
	t.Parallel()
	address, err := forget.Parse("Ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		e    event.Event
		want forget.Finding
	}{
		{"a value", event.Event{Body: []byte(`{"email":"ada@example.com"}`)}, forget.Value},
		{"in other case and with spaces", event.Event{Body: []byte(`{"a":[{"b":" ADA@Example.com\t"}]}`)}, forget.Value},
		{"with an escape", event.Event{Body: []byte(`{"email":"ada\u0040example.com"}`)}, forget.Value},
		{"the decoded body", event.Event{Body: []byte(`email=ada%40example.com`), JSON: []byte(`{"email":"ada@example.com"}`)}, forget.Value},
		{"the query", event.Event{Body: []byte(`{}`), Request: event.Request{Query: map[string]any{"_replyto": []any{"x", "ada@example.com"}}}}, forget.Value},
		{"a header", event.Event{Body: []byte(`{}`), Request: event.Request{Headers: map[string]string{"x-user": "ada@example.com"}}}, forget.Value},
		{"within a text", event.Event{Body: []byte(`{"text":"write to <ada@example.com>."}`)}, forget.Mention},
		{"a key", event.Event{Body: []byte(`{"ada@example.com":1}`)}, forget.Mention},
		{"both", event.Event{Body: []byte(`{"text":"I am ada@example.com","email":"ada@example.com"}`)}, forget.Value},
		{"a rejected form", event.Event{State: event.Rejected, Body: []byte(`a=%zz&email=ADA%40example.com`), JSON: []byte(`{}`)}, forget.Mention},
		{"what the data left out", event.Event{Body: []byte(`x=ada%40example.com`), JSON: []byte(`{}`)}, forget.Mention},
		{"another's, longer at the front", event.Event{Body: []byte(`{"email":"nada@example.com"}`)}, forget.Nothing},
		{"another's, with a plus", event.Event{Body: []byte(`{"email":"x+ada@example.com"}`)}, forget.Nothing},
		{"another's, longer at the end", event.Event{Body: []byte(`{"email":"ada@example.com.au"}`)}, forget.Nothing},
		{"no JSON, and not hers", event.Event{Body: []byte(`\ hello`)}, forget.Nothing},
		{"nothing", event.Event{}, forget.Nothing},
	}
	for _, tt := range tests {
		if got := address.In(&tt.e); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// The mark differs each time, and does not hold the address.
func TestAddress_Mark(t *testing.T) {
	t.Parallel()
	address, err := forget.Parse("ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	one, two := address.Mark(), address.Mark()
	if one == two || strings.Contains(one, "ada") || len(one) != 16+1+32 {
		t.Errorf("%s and %s", one, two)
	}
}
