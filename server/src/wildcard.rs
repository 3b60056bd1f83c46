//! Search patterns of directory listings ([MS-FSA] 2.1.4.4): names are compared without case, and
//! beside `*` and `?` there are the three wildcards of DOS.

use holdfast_proto::types::fold_char;

/// DOS_STAR: any run of characters up to the last dot.
const DOS_STAR: char = '<';
/// DOS_QM: any character but a dot, or nothing before a dot or at the end.
const DOS_QM: char = '>';
/// DOS_DOT: a dot, or nothing at the end.
const DOS_DOT: char = '"';

/// True if `pattern` is matched by `name`.
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut pattern: Vec<char> = pattern.chars().map(fold_char).collect();
    // Several mean no more than one.
    pattern.dedup_by(|b, a| *a == '*' && *b == '*');
    let name: Vec<char> = name.chars().map(fold_char).collect();
    let last_dot = name.iter().rposition(|c| *c == '.');
    // Reached states, as positions in the pattern: their number bounds the work, whatever the
    // pattern looks like.
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_empty(&pattern, &mut reached, &name, 0);
    for (at, c) in name.iter().enumerate() {
        let mut next = vec![false; pattern.len() + 1];
        for (p, _) in reached.iter().enumerate().filter(|(_, on)| **on) {
            match pattern.get(p) {
                None => {}
                Some('*') => next[p] = true,
                Some(&DOS_STAR) => {
                    next[p] = true;
                    if Some(at) == last_dot {
                        // The last dot itself may end the run.
                        next[p] = true;
                    }
                }
                Some('?') => next[p + 1] = true,
                Some(&DOS_QM) if *c != '.' => next[p + 1] = true,
                Some(&DOS_QM) => {}
                Some(&DOS_DOT) if *c == '.' => next[p + 1] = true,
                Some(&DOS_DOT) => {}
                Some(literal) if literal == c => next[p + 1] = true,
                Some(_) => {}
            }
        }
        skip_empty(&pattern, &mut next, &name, at + 1);
        reached = next;
    }
    reached[pattern.len()]
}

/// Adds the states that are reached without consuming a character, at `at` of the name.
fn skip_empty(pattern: &[char], reached: &mut [bool], name: &[char], at: usize) {
    let at_end = at == name.len();
    let before_dot = name.get(at) == Some(&'.');
    let no_dot_behind = !name[at..].contains(&'.');
    for p in 0..pattern.len() {
        if !reached[p] {
            continue;
        }
        let empty = match pattern[p] {
            '*' => true,
            // It may stop before the last dot, or where there is none any more.
            DOS_STAR => no_dot_behind || before_dot || at_end,
            DOS_QM => at_end || before_dot,
            DOS_DOT => at_end,
            _ => false,
        };
        if empty {
            reached[p + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("*.txt", "A.TXT", true),
            ("*.txt", "a.txt.bak", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("<.txt", "a.b.txt", true),
            ("<\"*", "noextension", true),
            ("<\"*", "with.ext", true),
            ("a>>", "a", true),
            ("a>>", "abc", true),
            ("a>>", "abcd", false),
            ("name\"", "name", true),
            ("name\"", "name.", true),
            ("ÄÖ*", "äöü", true),
            ("a***b**", "axxb", true),
            ("a**b", "axxc", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_little() {
        let pattern = "*a".repeat(120);
        let name = "a".repeat(250) + "b";
        assert!(!matches(&pattern, &name));
    }
}
