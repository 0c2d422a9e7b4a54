package cli

import (
	"errors"

	"hookgate/app/web/api"
)

// pageSize is how many records the server gives at once, at most.
const pageSize = 500

// checkLimit refuses what is no number of lines.
func checkLimit(limit int) error {
	if limit < 1 {
		return usageError("", errors.New("--limit must be at least 1"))
	}
	return nil
}

// collect asks for pages, newest first, until there are limit records or no
// more. ask gets the size of the page and the Next of the one before, "" at
// first. Next of what it returns goes on where it ends.
func collect[T any](limit int, ask func(size int, before string) (api.Page[T], error)) (api.Page[T], error) {
	all := api.Page[T]{Items: []T{}}
	for {
		page, err := ask(min(limit-len(all.Items), pageSize), all.Next)
		if err != nil {
			return all, serverError(err)
		}
		all.Items, all.Next = append(all.Items, page.Items...), page.Next
		if page.Next == "" || len(page.Items) == 0 || len(all.Items) >= limit {
			return all, nil
		}
	}
}
