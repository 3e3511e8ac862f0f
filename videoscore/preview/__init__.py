"""Look before you score: what videoscore sees in a film, as a picture, a page or text; and which settings suit it."""
