package lang

import (
	"html"

	"hookgate/internal/markup"
)

var markupFunctions = []function{
	{
		name: "html_to_text", params: []param{text("html").upTo(500)}, result: textResult,
		doc:     "HTML as text: blocks are lines, entries of a list begin with a dash, links keep their address.",
		example: `html_to_text("<p>Hello <b>Ada</b>,</p><p>see <a href='https://x.de'>this</a></p>")`, value: `"Hello Ada,\n\nsee this (https://x.de)"`,
		call: func(_ *meter, args []any) (any, error) { return markup.Text(textOr(args[0], "")), nil },
	},
	{
		name: "escape_html", params: []param{text("text")}, result: textResult,
		doc:     "A text that HTML shows as it is.",
		example: `escape_html("<b> & \"Co\"")`, value: `"&lt;b&gt; &amp; &#34;Co&#34;"`,
		call: func(_ *meter, args []any) (any, error) { return html.EscapeString(textOr(args[0], "")), nil },
	},
	{
		name: "unescape_html", params: []param{text("text")}, result: textResult,
		doc:     "A text with the characters that HTML's names stand for.",
		example: `unescape_html("M&uuml;ller &amp; S&#246;hne")`, value: `"Müller & Söhne"`,
		call: func(_ *meter, args []any) (any, error) { return html.UnescapeString(textOr(args[0], "")), nil },
	},
	{
		name: "markdown_to_html", params: []param{text("markdown")}, result: textResult,
		doc:     "Markdown as HTML; tags in it are shown as they are written. Where a place escapes values: `${{ raw(markdown_to_html(data.message)) }}`.",
		example: `markdown_to_html("**Hello** <b>")`, value: `"<p><strong>Hello</strong> &lt;b&gt;</p>"`,
		call: func(_ *meter, args []any) (any, error) { return fromMarkdown("markdown_to_html", args, markup.HTML) },
	},
	{
		name: "markdown_to_slack", params: []param{text("markdown")}, result: textResult,
		doc:     "Markdown as Slack writes it; `&`, `<` and `>` are escaped already: `${{ raw(markdown_to_slack(data.message)) }}`.",
		example: `markdown_to_slack("**a**")`, value: `"*a*"`, more: []Example{{`markdown_to_slack("- [site](https://x.de)")`, `"• <https://x.de|site>"`}},
		call: func(_ *meter, args []any) (any, error) { return fromMarkdown("markdown_to_slack", args, markup.Slack) },
	},
}

func fromMarkdown(name string, args []any, to func(string) (string, error)) (any, error) {
	out, err := to(textOr(args[0], ""))
	if err != nil {
		return nil, limitf("%s: %s", name, err)
	}
	return out, nil
}
