"""Running code that a language model wrote: confined, limited, and trusted in nothing."""
