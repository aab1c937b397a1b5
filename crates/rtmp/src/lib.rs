//! RTMP, Enhanced RTMP, AMF0 and FLV as values: bytes and time in, events and bytes out
