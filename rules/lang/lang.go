// Package lang is hookgate's one language: expr expressions and the
// `${{ expr }}` templates made of them.
//
// An expression sees four names: data (the event's body), event (id, type,
// source, time), headers (lower-case names) and query. Numbers without a
// fraction are integers, and 64-bit ids keep their digits.
//
// There are two routes to a value and one meaning. The fast route reads only
// the static paths that an expression names (data.website.status) out of the
// JSON text, into a flat environment. Where such a path breaks off (null or
// not an object before its end) the expression runs again over the fully
// decoded event, where expr raises the error or short-circuits as it defines.
//
// Its functions are expr's and those of the library (library*.go), which says
// of each what it takes, gives and means.
//
// Every evaluation is bounded: 500 nodes, predicates nested twice, lists of
// 10,000 items, 4 MB of texts and lists, 100 ms. Only plain data is in reach.
package lang

import (
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// Meta is what expressions see as event.
type Meta struct {
	ID, Type, Source string
	Time             time.Time
}

// Kind says what an Input may hold.
type Kind int

// The kinds of Input.
const (
	// TextInput renders to a JSON string, whatever it is made of.
	TextInput Kind = iota
	// ValueInput is any tree; a leaf that is exactly one ${{ }} keeps its type.
	ValueInput
)

// Input is one key of an action, declared by a connector.
type Input struct {
	Name, Doc string
	Kind      Kind
	Required  bool
	// Escape is what is done to each value in a text, not to its literal parts, nor
	// to what stands under a key that programs read (forPrograms); nil: nothing.
	Escape func(string) string
	// Fields are what the keys of a ValueInput's mapping hold, where they are
	// known. A key that is not among them is a ValueInput without Escape.
	Fields []Input
	Check  func(n yamlnode.Node) diag.List // beyond the shape; nil: none
	// NotEmpty inputs, where they are given and nothing that Unless names is,
	// must not come out empty: nothing is sent then. Of a Field, the connector
	// sees to it.
	NotEmpty bool
	// Default is what stands there, as a text with ${{ }}, where an action
	// leaves out this input and all that Unless names; "" is nothing.
	Default string
	Unless  []string
}

// Action is what a kind of connection accepts in a rule's action.
type Action struct {
	Noun   string // with its article: "an action to a webhook"
	Inputs []Input
	// Check looks at the action as a whole; nil: nothing to check. given are
	// the inputs that stand in the file.
	Check func(n yamlnode.Node, given []yamlnode.Field) diag.List
	// Outputs are the names of what is read from the answer to an action with the
	// given inputs; known is false, or Outputs nil, where it may be anything.
	Outputs func(given []yamlnode.Field) (names []string, known bool)
}
