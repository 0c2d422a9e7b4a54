package connectors

import (
	"context"

	"hookgate/connectors/recipe"
)

// recall makes known to call what earlier deliveries remembered by its key.
func (c *recipeConnector) recall(ctx context.Context, call *recipe.Call) error {
	key, names := call.Memory()
	if key == "" {
		return nil
	}
	values := map[string]any{}
	for _, name := range names {
		value, found, err := c.deps.Memory.Get(ctx, memoryKey(name, key))
		if err != nil {
			return err // of our own store: another try is due
		}
		if found {
			values[name] = value
		}
	}
	call.Recall(values)
	return nil
}

// remember keeps what call learned, for later deliveries with its key.
func (c *recipeConnector) remember(ctx context.Context, call *recipe.Call) {
	key, _ := call.Memory()
	if key == "" {
		return
	}
	for name, value := range c.secrets.texts(call.Learned()) {
		if err := c.deps.Memory.Put(ctx, memoryKey(name, key), value); err != nil { // it is done: to fail now would do it again
			c.deps.Logger.WarnContext(ctx, "what was made could not be remembered: the next delivery of its key will not find it", "name", name, "error", err)
		}
	}
}

// memoryKey tells what recipes remember from what other kinds do.
func memoryKey(name, key string) string { return "recipe " + name + " " + key }
