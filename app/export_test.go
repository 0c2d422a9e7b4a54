package app

import (
	"context"

	"hookgate/app/admin"
	"hookgate/app/config"
)

// CheckText is Check for the content of a file; there is no .env beside it.
func CheckText(ctx context.Context, path string, content []byte, getenv config.LookupFunc, survey Survey) (*Plan, *config.Report, error) {
	doc, report := config.Parse(path, content, getenv)
	return check(doc, report, survey.in(ctx))
}

// Operators are what the pages and the API ask.
func (a *App) Operators() *admin.Service { return a.service }
