package gateway

import (
	"io"
	"net/http"
	"time"
)

const (
	// bodyDeadline bounds the arrival of a request's body.
	bodyDeadline = 30 * time.Second

	// bodyHead is how long a body may be slow, and bodyRate the bytes a second that it must have had since.
	bodyHead = 10 * time.Second
	bodyRate = 1 << 10
)

// A pacedBody is a request's body that ends with os.ErrDeadlineExceeded when it comes too slowly.
type pacedBody struct {
	io.Reader
	control *http.ResponseController
	began   time.Time
	read    int64
}

func paced(w http.ResponseWriter, body io.Reader) *pacedBody {
	return &pacedBody{Reader: body, control: http.NewResponseController(w), began: time.Now()}
}

// Read reads within the time that what has come so far allows.
func (b *pacedBody) Read(p []byte) (int, error) {
	allowed := min(bodyDeadline, bodyHead+time.Duration(b.read)*time.Second/bodyRate)
	_ = b.control.SetReadDeadline(b.began.Add(allowed)) // unsupported off the network: nothing to bound there
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	return n, err
}

// halt lets nothing more be read: net/http would take another 256 KiB of a body before it answers.
func (b *pacedBody) halt() { _ = b.control.SetReadDeadline(time.Unix(1, 0)) }

// stop lets the connection read on without a bound.
func (b *pacedBody) stop() { _ = b.control.SetReadDeadline(time.Time{}) }
