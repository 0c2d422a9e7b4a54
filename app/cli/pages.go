package cli

import (
	"errors"
	"slices"

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
// first. Next of what it returns goes on where it ends. It also ends with a
// page for which one of stop says so.
func collect[T any](limit int, ask func(size int, before string) (admin.Page[T], error), stop ...func(*admin.Page[T]) bool) (admin.Page[T], error) {
	all := admin.Page[T]{Items: []T{}}
	for {
		page, err := ask(min(limit-len(all.Items), pageSize), all.Next)
		if err != nil {
			return all, err
		}
		all.Items, all.Next, all.Search = append(all.Items, page.Items...), page.Next, page.Search
		if slices.ContainsFunc(stop, func(s func(*admin.Page[T]) bool) bool { return s(&page) }) {
			return all, nil
		}
		if page.Next == "" || len(page.Items) == 0 || len(all.Items) >= limit {
			return all, nil
		}
	}
}
