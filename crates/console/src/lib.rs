//! Ringdown's pages in a browser, as the binary carries them: the floor, the agent's desk, one call.
//!
//! `web` has their sources (TypeScript and Svelte, built by Vite). Without npm on the machine that builds there are none.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One file of the pages.
#[derive(Debug)]
pub struct File {
    /// `index.html`, `assets/index-1a2b3c.js`.
    pub path: &'static str,
    /// Its content type.
    pub kind: &'static str,
    /// Its entity tag (RFC 9110 8.8.3), quotes included.
    pub tag: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same, packed by Brotli, where that is shorter.
    pub brotli: Option<&'static [u8]>,
    /// The same, packed by gzip, where that is shorter.
    pub gzip: Option<&'static [u8]>,
}

impl File {
    /// Whether its name changes with its content, so that nobody need ask for it twice.
    pub fn is_named_by_content(&self) -> bool {
        self.path.starts_with("assets/")
    }
}

/// What is said where there are no pages.
pub const MISSING: &str = "This binary was built without its pages: install npm and build it again.\n";

/// The file at a path, without the slash at its beginning.
pub fn find(path: &str) -> Option<&'static File> {
    let index = FILES.binary_search_by(|file| file.path.cmp(path)).ok()?;
    Some(&FILES[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest first load of a page, in bytes on the wire.
    const FIRST_LOAD: usize = 300 << 10;

    #[test]
    fn the_page_and_all_that_it_loads_are_there_and_small() {
        let index = find("index.html").expect(MISSING);
        let text = std::str::from_utf8(index.bytes).expect("it is text");
        let named =
            text.split('"').filter_map(|part| part.strip_prefix('/')).filter(|part| part.contains('.'));
        let mut size = index.brotli.map_or(index.bytes.len(), <[u8]>::len);
        let mut loaded = 0;
        for path in named {
            let file = find(path).unwrap_or_else(|| panic!("{path} is not there"));
            size += file.gzip.map_or(file.bytes.len(), <[u8]>::len);
            loaded += 1;
        }
        assert!(loaded >= 2, "a script and a style sheet: {text}");
        assert!(size < FIRST_LOAD, "{size} bytes");
    }

    #[test]
    fn no_page_has_a_script_or_a_style_of_its_own_in_it() {
        for file in FILES.iter().filter(|file| file.path.ends_with(".html")) {
            let text = std::str::from_utf8(file.bytes).expect("it is text");
            assert!(!text.contains("<style") && !text.contains(" style="), "{}", file.path);
            assert!(text.split("<script").skip(1).all(|script| script.contains(" src=")), "{}", file.path);
        }
    }
}
