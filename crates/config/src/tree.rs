//! What was typed: keywords with their arguments and blocks.
//!
//! Braces that do not fit are reported here and put right, so that one of them does not spoil the rest of the file.
//! Blocks of the top level are handed on one by one: a file of a million lines is never held as a whole. Each is kept in
//! an arena, so that nothing is allocated and freed for a line.

use bumpalo::Bump;

use crate::diagnostic::{Code, Diagnostic, Findings, shown};
use crate::keyword::{self, Block, Content, Keyword, Names};
use crate::lexer::{Statement, Token, Tokens, Word};
use crate::preprocess::Passage;
use crate::source::Span;

/// Blocks inside blocks: the language has four levels.
const DEEPEST: usize = 16;

/// A statement and the block that belongs to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) statement: &'a Statement<'a>,
    /// The entry of its first word, if the block that it stands in has one.
    pub(crate) keyword: Option<&'static Keyword>,
    /// What stands between its braces, if it has any.
    pub(crate) block: Option<&'a [Self]>,
}

impl<'a> Node<'a> {
    /// The first word. Only an unpaired quote leaves a statement without.
    pub(crate) fn head(&self) -> Option<&Word<'a>> {
        self.statement.words.first()
    }

    /// Whether its keyword is this.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.keyword.is_some_and(|keyword| keyword.name == name)
    }

    /// The words after the first.
    pub(crate) fn arguments(&self) -> &[Word<'a>] {
        self.statement.words.get(1..).unwrap_or_default()
    }

    /// The lines of its block.
    pub(crate) fn children(&self) -> &[Self] {
        self.block.unwrap_or_default()
    }
}

/// Puts the tokens of passages into blocks.
pub(crate) fn parse<'a, P: Iterator<Item = Passage<'a>>>(passages: P) -> Tree<'a, P> {
    Tree { passages, tokens: None, findings: Findings::default(), consequences: Vec::new() }
}

/// The blocks of the top level, in file order.
#[derive(Debug)]
pub(crate) struct Tree<'a, P> {
    passages: P,
    /// Of the one that is being read.
    tokens: Option<Tokens<'a>>,
    findings: Findings,
    consequences: Vec<Span>,
}

impl<'a, P: Iterator<Item = Passage<'a>>> Tree<'a, P> {
    /// The next block of the top level. A stray brace around several makes them come together.
    pub(crate) fn next<'b>(&mut self, arena: &'b Bump) -> Option<&'b [Node<'b>]>
    where
        'a: 'b,
    {
        let mut parser = Parser::new(arena, &mut self.findings, &mut self.consequences);
        loop {
            let Some(tokens) = &mut self.tokens else {
                self.tokens = self.passages.next().map(Tokens::of);
                if self.tokens.is_none() {
                    parser.finish();
                    return Some(parser.complete()).filter(|nodes| !nodes.is_empty());
                }
                continue;
            };
            let Some(first) = tokens.peek() else {
                self.tokens = None;
                continue;
            };
            if parser.is_complete(first == b'{') {
                return Some(parser.complete());
            }
            match tokens.next(arena) {
                Some(Token::Statement(statement)) => parser.statement(statement),
                Some(Token::Open(span)) => parser.open(span),
                Some(Token::Close(span)) => parser.close(span),
                None => {}
            }
        }
    }

    /// What was wrong with the braces, as far as blocks have been asked for.
    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    /// Lines that are wrong only because a brace before them is missing.
    pub(crate) fn take_consequences(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.consequences)
    }
}

/// A block that is being read.
struct Frame<'b> {
    /// Which, if the table knows it.
    block: Option<Block>,
    /// Its keywords.
    names: Option<&'static Names>,
    /// What it belongs to; a stray brace belongs to nothing.
    owner: Option<Node<'b>>,
    /// Which of the parser's nodes is the first of its own.
    first: usize,
    /// The last of them could still get a brace.
    pending: bool,
    /// Its opening brace, if it has one.
    brace: Option<Span>,
    /// Lines of outer blocks stand in it: its closing brace is missing.
    is_left: bool,
}

impl Frame<'_> {
    fn new(block: Option<Block>, first: usize) -> Self {
        let names = block.filter(|block| block.content() == Content::Keywords).map(keyword::names);
        Self { block, names, owner: None, first, pending: false, brace: None, is_left: false }
    }
}

/// Reads one block of the top level.
struct Parser<'b, 'd> {
    arena: &'b Bump,
    /// Open blocks, the innermost last.
    frames: Vec<Frame<'b>>,
    root: Frame<'b>,
    /// What is in the open blocks and in no block inside them, those of the innermost last.
    nodes: Vec<Node<'b>>,
    /// Open blocks beyond [`DEEPEST`].
    ignored: usize,
    diagnostics: &'d mut Findings,
    consequences: &'d mut Vec<Span>,
}

impl<'b, 'd> Parser<'b, 'd> {
    fn new(arena: &'b Bump, diagnostics: &'d mut Findings, consequences: &'d mut Vec<Span>) -> Self {
        let root = Frame::new(Some(Block::Root), 0);
        Self {
            arena,
            frames: Vec::with_capacity(4),
            root,
            nodes: Vec::with_capacity(32),
            ignored: 0,
            diagnostics,
            consequences,
        }
    }

    /// Whether nothing can be added any more to what there is.
    fn is_complete(&self, is_brace_next: bool) -> bool {
        let Some(last) = self.nodes.last().filter(|_| self.frames.is_empty()) else { return false };
        !self.root.pending || !(is_brace_next || braced(last).is_some())
    }

    fn complete(&self) -> &'b [Node<'b>] {
        self.arena.alloc_slice_copy(&self.nodes)
    }

    fn top(&mut self) -> &mut Frame<'b> {
        self.frames.last_mut().unwrap_or(&mut self.root)
    }

    fn begin(&mut self, block: Option<Block>, owner: Option<Node<'b>>, brace: Option<Span>) {
        self.frames.push(Frame { owner, brace, ..Frame::new(block, self.nodes.len()) });
    }

    fn statement(&mut self, statement: &'b Statement<'b>) {
        if self.ignored > 0 {
            return;
        }
        self.demand_brace();
        let top = self.top();
        let head = statement.words.first();
        let keyword = top.names.zip(head).and_then(|(names, head)| names.get(&head.text));
        top.pending = true;
        if keyword.is_none() {
            self.look_for_missing_brace(statement);
        }
        self.nodes.push(Node { statement, keyword, block: None });
    }

    /// An unknown word that opens a block in a block further out tells that the end of this one is missing. It is said
    /// once; keepalived does not put it right either.
    fn look_for_missing_brace(&mut self, statement: &Statement<'_>) {
        let Some((inner, outer)) = self.frames.split_last_mut() else { return };
        let (Some(head), Some(block)) = (statement.words.first(), inner.block) else { return };
        let is_ended = inner.is_left || inner.brace.is_none();
        let names = outer.iter().chain([&self.root]).filter_map(|frame| frame.names);
        let mut keywords = names.filter_map(|names| names.get(&head.text));
        let is_inherited = inner.is_left && inner.owner.is_none();
        if !is_inherited && !keywords.any(|keyword| is_ended || in_braces(keyword).is_some()) {
            return;
        }
        self.consequences.push(statement.span());
        if let Some(brace) = inner.brace.filter(|_| !inner.is_left) {
            let headline = format!("the closing brace of `{}` is missing before this line", block.name());
            self.diagnostics.push(
                Diagnostic::warning(Code::MissingCloseBrace, head.span, headline)
                    .label(brace, "this brace is still open")
                    .help(format!(
                        "write `}}` before {}; until then it is read as part of the block",
                        shown(&head.text)
                    )),
            );
        }
        inner.is_left = true;
    }

    fn open(&mut self, span: Span) {
        if self.ignored > 0 || self.frames.len() >= DEEPEST {
            if self.ignored == 0 {
                self.diagnostics.push(
                    Diagnostic::error(Code::TooDeep, span, "blocks are nested too deeply")
                        .help("everything up to the matching brace is ignored"),
                );
            }
            self.ignored += 1;
            return;
        }
        let top = self.top();
        let block = top.block;
        let is_list = block.is_some_and(|block| block.content() != Content::Keywords);
        let is_owned = std::mem::take(&mut top.pending) && !is_list;
        let owner = if is_owned { self.nodes.pop() } else { None };
        let Some(owner) = owner else {
            let is_left = self.top().is_left;
            if !is_left {
                self.diagnostics.push(Diagnostic::warning(
                    Code::StrayOpenBrace,
                    span,
                    "this brace belongs to no keyword; it is ignored",
                ));
            }
            self.begin(block, None, Some(span));
            self.top().is_left = is_left;
            return;
        };
        let keyword = owner.keyword;
        if let Some(keyword) = keyword.filter(|keyword| keyword.opens.is_none()) {
            let headline = format!("`{}` takes no block; all of it is ignored", keyword.name);
            self.diagnostics.push(Diagnostic::warning(Code::StrayOpenBrace, span, headline));
        }
        let opens = keyword.and_then(|keyword| keyword.opens);
        self.begin(opens, Some(owner), Some(span));
    }

    fn close(&mut self, span: Span) {
        if self.ignored > 0 {
            self.ignored -= 1;
            return;
        }
        let depth = self.frames.len();
        self.demand_brace();
        if self.frames.len() > depth {
            self.pop();
        }
        if self.frames.is_empty() {
            self.diagnostics.push(Diagnostic::warning(
                Code::StrayCloseBrace,
                span,
                "this brace closes nothing; it is ignored",
            ));
            return;
        }
        self.pop();
    }

    /// Ends the innermost block.
    fn pop(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        // What a stray brace holds is the outer block's.
        let Some(owner) = frame.owner else { return };
        let children = self.arena.alloc_slice_copy(self.nodes.get(frame.first..).unwrap_or_default());
        self.nodes.truncate(frame.first);
        self.nodes.push(Node { block: Some(children), ..owner });
    }

    /// If the last statement should have got a brace by now, behaves as if it had.
    fn demand_brace(&mut self) {
        let top = self.top();
        if !std::mem::take(&mut top.pending) {
            return;
        }
        let Some(opens) = self.nodes.last().and_then(braced) else { return };
        let Some(owner) = self.nodes.pop() else { return };
        let span = owner.statement.span();
        let headline = format!("`{}` is not followed by a brace", opens.name());
        self.diagnostics.push(
            Diagnostic::warning(Code::MissingOpenBrace, span, headline)
                .help("the block is taken to begin here"),
        );
        self.begin(Some(opens), Some(owner), None);
    }

    /// At the end of the file every block ends.
    fn finish(&mut self) {
        self.demand_brace();
        while let Some(frame) = self.frames.last() {
            if let (Some(brace), Some(owner)) = (frame.brace, &frame.owner) {
                let name = shown(owner.head().map_or("", |head| &head.text));
                let headline = format!("the block of {name} is not closed at the end of the file");
                self.diagnostics.push(
                    Diagnostic::error(Code::UnclosedBlock, brace, headline)
                        .help("a brace is missing, or the file was cut short"),
                );
            }
            self.pop();
        }
    }
}

/// The block in braces that must follow `node`.
fn braced(node: &Node<'_>) -> Option<Block> {
    node.keyword.and_then(in_braces)
}

fn in_braces(keyword: &Keyword) -> Option<Block> {
    keyword.opens.filter(|block| block.content() != Content::Options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess;

    /// `keyword(child child)` and the codes of what was reported.
    fn tree(text: &str) -> (String, Vec<Code>) {
        let mut diagnostics = Findings::default();
        let (sources, prepared) = preprocess::read_text(text.as_bytes(), &mut diagnostics);
        let passages = preprocess::passages(&sources, &prepared);
        let mut tree = parse(passages);
        let arena = Bump::new();
        let nodes: Vec<_> = std::iter::from_fn(|| tree.next(&arena)).flatten().copied().collect();
        diagnostics.absorb(tree.into_findings());
        (show(&nodes), diagnostics.into_vec().iter().map(|d| d.code).collect())
    }

    fn show(nodes: &[Node<'_>]) -> String {
        let one = |node: &Node<'_>| {
            let words: Vec<_> = node.statement.words.iter().map(|word| word.text.as_ref()).collect();
            let block = node.block.map(|block| format!("({})", show(block)));
            words.join("_") + &block.unwrap_or_default()
        };
        nodes.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn blocks_open_on_their_line_or_the_next() {
        let expected = "global_defs(router_id_x) vrrp_instance_A(priority_1)";
        assert_eq!(tree("global_defs { router_id x }\nvrrp_instance A\n{\npriority 1\n}").0, expected);
    }

    #[test]
    fn an_unknown_block_stays_one_block() {
        let (tree, codes) = tree("foo {\na { b }\n}\nglobal_defs {\nfoo {\npriority 1\n}\nrouter_id x\n}");
        assert_eq!(tree, "foo(a(b)) global_defs(foo(priority_1) router_id_x)");
        assert_eq!(codes, []);
    }

    #[test]
    fn braces_are_put_right() {
        assert_eq!(tree("global_defs\nrouter_id x\n}\nSSL {\n}").0, "global_defs(router_id_x) SSL()");
        assert_eq!(tree("global_defs\nrouter_id x\n}").1, [Code::MissingOpenBrace]);
        assert_eq!(tree("}\nglobal_defs { }"), ("global_defs()".into(), vec![Code::StrayCloseBrace]));
        assert_eq!(
            tree("global_defs {\n{\nrouter_id x\n}\n}"),
            ("global_defs(router_id_x)".into(), vec![Code::StrayOpenBrace])
        );
        assert_eq!(
            tree("vrrp_instance A {\npriority 5 {\nx\n}\npreempt\n}"),
            ("vrrp_instance_A(priority_5(x) preempt)".into(), vec![Code::StrayOpenBrace])
        );
        assert_eq!(tree("global_defs {\nrouter_id x").1, [Code::UnclosedBlock]);
        assert_eq!(
            tree("global_defs {\nnotification_email {\na {\n}\n}\n}").1,
            [Code::StrayOpenBrace],
            "entries have no blocks"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let (_, codes) = tree(&"a{\n".repeat(100_000));
        assert_eq!(codes.iter().filter(|code| **code == Code::TooDeep).count(), 1);
    }
}
