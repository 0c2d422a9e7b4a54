package cli

import (
	"errors"

	"hookgate/app/admin"
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
// first. Next of what it returns goes on where it ends. A page of a search that
// was stopped, which may be empty, is followed by the next.
func collect[T any](limit int, ask func(size int, before string) (admin.Page[T], error)) (admin.Page[T], error) {
	all := admin.Page[T]{Items: []T{}}
	for {
		page, err := ask(min(limit-len(all.Items), pageSize), all.Next)
		if err != nil {
			return all, err
		}
		all.Items, all.Next, all.Search = append(all.Items, page.Items...), page.Next, page.Search
		unfinished := page.Search != nil && page.Search.Stopped // there may be more behind what one request looks into
		if page.Next == "" || len(page.Items) == 0 && !unfinished || len(all.Items) >= limit {
			return all, nil
		}
	}
}
