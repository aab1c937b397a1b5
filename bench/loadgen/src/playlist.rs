//! As much of HLS as a reader at the live edge needs.

use anyhow::{Context, Result, ensure};

use crate::http::{Client, Url};

/// The first variant of a multivariant playlist; a media playlist is its own.
pub async fn first_variant(client: &mut Client, url: &Url) -> Result<Url> {
    let text = fetch(client, url).await?;
    let mut lines = text.lines().skip_while(|line| !line.starts_with("#EXT-X-STREAM-INF"));
    match lines.find(|line| !line.is_empty() && !line.starts_with('#')) {
        Some(uri) => Ok(url.join(uri)),
        None if text.contains("#EXTINF") || text.contains("#EXT-X-PART:") => Ok(url.clone()),
        None => Err(anyhow::anyhow!("no variant in {}", url.path)),
    }
}

/// Fetches a playlist and expects it to be there.
pub async fn fetch(client: &mut Client, url: &Url) -> Result<String> {
    let response = client.get(url).await?;
    ensure!(response.status == 200, "{} answered {}", url.path, response.status);
    Ok(String::from_utf8(response.body.to_vec())?)
}

/// What a media playlist lists, newest last.
#[derive(Default)]
pub struct Media {
    /// Number of the first segment.
    pub first: u64,
    pub segments: Vec<String>,
    /// Parts of the segment that is still open.
    pub open_parts: Vec<String>,
    /// Every part that is listed.
    pub parts: Vec<String>,
    pub map: Option<String>,
}

impl Media {
    pub fn parse(text: &str) -> Result<Self> {
        let mut media = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                media.first = number.trim().parse().context("media sequence")?;
            } else if line.starts_with("#EXT-X-PART:") {
                let uri = attribute(line, "URI").context("a part without URI")?;
                media.open_parts.push(uri.clone());
                media.parts.push(uri);
            } else if line.starts_with("#EXT-X-MAP:") {
                media.map = attribute(line, "URI");
            } else if !line.starts_with('#') {
                media.segments.push(line.to_owned());
                media.open_parts.clear();
            }
        }
        Ok(media)
    }

    /// Number of the segment that is still open.
    pub fn open_number(&self) -> u64 {
        self.first + self.segments.len() as u64
    }

    /// The query that blocks until the part comes which is so many ahead of the next.
    pub fn blocking_query(&self, ahead: usize) -> String {
        format!(
            "_HLS_msn={}&_HLS_part={}",
            self.open_number(),
            self.open_parts.len() + ahead
        )
    }
}

fn attribute(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_is_named_by_what_is_listed() {
        let text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-PART:DURATION=1,URI=\"p1\"\n#EXTINF:1,\n7.mp4\n\
                    #EXT-X-PART:DURATION=1,URI=\"p2\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p3\"\n";
        let media = Media::parse(text).unwrap();
        assert_eq!(media.blocking_query(0), "_HLS_msn=8&_HLS_part=1");
        assert_eq!((media.parts.len(), media.map.as_deref()), (2, Some("i.mp4")));
    }
}
