package connectors

import (
	"slices"
	"strings"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func webhookAction() lang.Action {
	return lang.Action{
		Noun: "an action to a webhook",
		Inputs: []lang.Input{
			{Name: "json", Doc: "The body as JSON: any value; a leaf that is one ${{ }} keeps its type.", Kind: lang.ValueInput},
			{Name: "form", Doc: "The body as a URL-encoded form: names and texts.", Kind: lang.ValueInput, Check: checkTexts},
			{Name: "body", Doc: "The body as text, as it is; content_type says what it is.", Kind: lang.TextInput},
			{Name: "content_type", Doc: "Content-Type of the body, in place of the usual one.", Kind: lang.TextInput, Check: checkHeaderText},
			{Name: "method", Doc: "The method, in place of the connection's.", Kind: lang.TextInput, Check: checkMethodInput},
			{Name: "headers", Doc: "More headers: names and texts.", Kind: lang.ValueInput, Check: checkHeadersInput},
			{Name: "query", Doc: "Parameters added to the URL: names and texts.", Kind: lang.ValueInput, Check: checkTexts},
		},
		Check: checkWebhookAction,
	}
}

// checkWebhookAction wants exactly one body, or a request that needs none.
func checkWebhookAction(n yamlnode.Node, given []yamlnode.Field) diag.List {
	var bodies []yamlnode.Field
	bodyless := false
	for _, f := range given {
		switch f.Key.Value {
		case "json", "form", "body":
			bodies = append(bodies, f)
		case "query":
			bodyless = true
		case "method":
			method := strings.ToUpper(f.Value.Text().Value)
			bodyless = bodyless || method == "GET" || method == "DELETE"
		}
	}
	switch {
	case len(bodies) == 0 && !bodyless:
		return diag.List{n.Diag("missing-key", "a request without a body has query, or method GET or DELETE", "an action to a webhook needs json, form or body")}
	case len(bodies) > 1:
		second := bodies[1].Key
		return diag.List{second.Diag("conflict", "keep one of json, form and body", "%q and %q are both the body", bodies[0].Key.Value, second.Value)}
	}
	return nil
}

// templated reports whether a text may become something else when rendered.
func templated(text string) bool { return strings.Contains(text, "${{") }

// checkTexts wants a mapping from names to texts or lists of texts.
func checkTexts(n yamlnode.Node) diag.List {
	if n.Kind() == yamlnode.Scalar && templated(n.Text().Value) {
		return nil // a ${{ }} that gives the mapping
	}
	if n.Kind() != yamlnode.Map {
		return diag.List{n.Diag("wrong-type", "", "%q must be a mapping of names to texts", keyName(n))}
	}
	var list diag.List
	for _, f := range n.Fields() {
		if f.Value.Kind() == yamlnode.Map || slices.ContainsFunc(f.Value.Items(), nested) {
			list = append(list, f.Value.Diag("wrong-type", "", "%q must be a text or a list of texts", f.Key.Value))
		}
	}
	return list
}

func nested(n yamlnode.Node) bool { return n.Kind() == yamlnode.Map || n.Kind() == yamlnode.List }

func checkHeadersInput(n yamlnode.Node) diag.List {
	list := checkTexts(n)
	for _, f := range n.Fields() {
		if reason := headerNameFault(f.Key.Value); reason != "" {
			list = append(list, f.Key.Diag("bad-header", "", "the header %q %s", f.Key.Value, reason))
		}
		list = append(list, checkHeaderText(f.Value)...)
	}
	return list
}

func checkHeaderText(n yamlnode.Node) diag.List {
	if strings.ContainsAny(n.Text().Value, "\r\n") {
		return diag.List{n.Diag("bad-header", "write it in one line", "%q holds a line break", keyName(n))}
	}
	return nil
}

func checkMethodInput(n yamlnode.Node) diag.List {
	if n.Kind() != yamlnode.Scalar || templated(n.Text().Value) {
		return nil
	}
	return checkMethod(n.Text())
}
