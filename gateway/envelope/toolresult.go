package envelope

// AppendToolResult appends e as the result of a tool that failed, which a model sees where it does not see errors:
// its words as text, and the data of the error in _meta. modern says that the result is of a revision whose results
// have a type.
func (e *Error) AppendToolResult(dst, id []byte, modern bool) []byte {
	dst = append(append(append(dst, `{"jsonrpc":"2.0","id":`...), id...), `,"result":{`...)
	if modern {
		dst = append(dst, `"resultType":"complete",`...)
	}
	dst = append(dst, `"content":[{"type":"text","text":`...)
	dst = appendJSON(dst, e.Error())
	dst = append(dst, `}],"isError":true,"_meta":{"signet/error":`...)
	dst = appendJSON(dst, e.data())
	return append(dst, "}}}"...)
}
