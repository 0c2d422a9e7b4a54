package address_test

import (
	"errors"
	"strings"
	"testing"

	"hookgate/app/admin/address"
	"hookgate/internal/event"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"ada@example.com", "  Ada@Example.COM\n", "ada+shop@example.com", "ö@müller.example"} {
		if _, err := address.Parse(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ada", "@example.com", "ada@", "Ada <ada@example.com>", "a@b, c@d", "a b@c", "a\x00@b"} {
		if _, err := address.Parse(bad); !errors.Is(err, address.ErrNoAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAddress_In(t *testing.T) {
	t.Parallel()
	person, err := address.Parse("Ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		e    event.Event
		want address.Finding
	}{
		{"a value", event.Event{Body: []byte(`{"email":"ada@example.com"}`)}, address.Value},
		{"in other case and with spaces", event.Event{Body: []byte(`{"a":[{"b":" ADA@Example.com\t"}]}`)}, address.Value},
		{"with an escape", event.Event{Body: []byte(`{"email":"ada\u0040example.com"}`)}, address.Value},
		{"the decoded body", event.Event{Body: []byte(`email=ada%40example.com`), JSON: []byte(`{"email":"ada@example.com"}`)}, address.Value},
		{"the query", event.Event{Body: []byte(`{}`), Request: event.Request{Query: map[string]any{"_replyto": []any{"x", "ada@example.com"}}}}, address.Value},
		{"a header", event.Event{Body: []byte(`{}`), Request: event.Request{Headers: map[string]string{"x-user": "ada@example.com"}}}, address.Value},
		{"within a text", event.Event{Body: []byte(`{"text":"write to <ada@example.com>."}`)}, address.Mention},
		{"a key", event.Event{Body: []byte(`{"ada@example.com":1}`)}, address.Mention},
		{"both", event.Event{Body: []byte(`{"text":"I am ada@example.com","email":"ada@example.com"}`)}, address.Value},
		{"a rejected form", event.Event{State: event.Rejected, Body: []byte(`a=%zz&email=ADA%40example.com`), JSON: []byte(`{}`)}, address.Mention},
		{"what the data left out", event.Event{Body: []byte(`x=ada%40example.com`), JSON: []byte(`{}`)}, address.Mention},
		{"another's, longer at the front", event.Event{Body: []byte(`{"email":"nada@example.com"}`)}, address.Nothing},
		{"another's, with a plus", event.Event{Body: []byte(`{"email":"x+ada@example.com"}`)}, address.Nothing},
		{"another's, longer at the end", event.Event{Body: []byte(`{"email":"ada@example.com.au"}`)}, address.Nothing},
		{"no JSON, and not hers", event.Event{Body: []byte(`\ hello`)}, address.Nothing},
		{"nothing", event.Event{}, address.Nothing},
	}
	for _, tt := range tests {
		if got := person.In(&tt.e); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// The mark differs each time, and does not hold the address.
func TestAddress_Mark(t *testing.T) {
	t.Parallel()
	person, err := address.Parse("ada@example.com")
	if err != nil {
		t.Fatal(err)
	}
	one, two := person.Mark(), person.Mark()
	if one == two || strings.Contains(one, "ada") || len(one) != 16+1+32 {
		t.Errorf("%s and %s", one, two)
	}
}
