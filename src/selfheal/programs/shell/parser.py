"""Tokens → commands (the grammar of POSIX sh, as busybox's ash reads it)."""

from __future__ import annotations

import re
from functools import lru_cache

from selfheal.programs.shell.lexer import NAME, REDIRECTS, Lexer, SyntaxProblem, Token
from selfheal.programs.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    If,
    Literal,
    Pipeline,
    Problem,
    Redirect,
    Redirected,
    Script,
    Sequence,
    Simple,
    Subshell,
    While,
    Word,
)

RESERVED = frozenset(
    ["!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while"]
)
NO_OPERATOR = frozenset(("newline", "end"))

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z_0-9]*)=")
_EMPTY = Sequence(())


class Parser:
    """Reads commands from a lexer."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self._next: Token | None = None

    # ---- tokens

    def peek(self) -> Token:
        if self._next is None:
            self._next = self.lexer.token()
        return self._next

    def take(self) -> Token:
        token = self.peek()
        self._next = None
        return token

    def _at(self, *texts: str) -> bool:
        """Whether the next token is one of these operators or reserved words."""
        token = self.peek()
        return token.text in texts and token.kind in ("op", "word")

    def _expect(self, text: str) -> Token:
        if not self._at(text):
            raise self._unexpected(self.peek(), text)
        return self.take()

    @staticmethod
    def _unexpected(token: Token, wanted: str = "") -> SyntaxProblem:
        if token.kind == "end":
            what = "end of file"
        elif token.kind == "newline":
            what = "newline"
        elif token.kind == "number" or token.text in REDIRECTS:
            what = "redirection"
        elif token.kind == "op" or token.text in RESERVED:
            what = f'"{token.text}"'
        else:
            what = "word"
        expecting = f' (expecting "{wanted}")' if wanted else ""
        return SyntaxProblem(f"syntax error: unexpected {what}{expecting}", token.line)

    def _newlines(self) -> None:
        while self.peek().kind == "newline":
            self.take()

    # ---- lists

    def line(self) -> Command | None:
        """The next complete line of commands; None at the end."""
        self._newlines()
        if self.peek().kind == "end":
            return None
        items: list[tuple[Command, bool]] = []
        while True:
            command = self._and_or()
            token = self.peek()
            background = token.text == "&" and token.kind == "op"
            items.append((command, background))
            if token.kind == "op" and token.text in (";", "&"):
                self.take()
                token = self.peek()
                if token.kind not in NO_OPERATOR:
                    continue
            if token.kind == "end":
                return _sequence(items)
            if token.kind == "newline":
                self.take()
                return _sequence(items)
            raise self._unexpected(token)

    def block(self, *ends: str) -> Command:
        """Commands up to one of the closing words or operators (not taken)."""
        items: list[tuple[Command, bool]] = []
        while True:
            self._newlines()
            if self._at(*ends):
                return _sequence(items)
            if self.peek().kind == "end":
                raise self._unexpected(self.peek(), ends[-1] if len(ends) == 1 else "then" if "then" in ends else "fi")
            command = self._and_or()
            token = self.peek()
            background = token.kind == "op" and token.text == "&"
            items.append((command, background))
            if token.kind == "op" and token.text in (";", "&"):
                self.take()
            elif token.kind != "newline" and not self._at(*ends):
                raise self._unexpected(token, ends[-1] if len(ends) == 1 else "")

    def _and_or(self) -> Command:
        first = self._pipeline()
        rest: list[tuple[str, Command]] = []
        while self._at("&&", "||") and self.peek().kind == "op":
            op = self.take().text
            self._newlines()
            rest.append((op, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Command:
        negated = False
        while self._at("!") and self.peek().word is not None:
            self.take()
            negated = not negated
        commands = [self._command()]
        while self._at("|") and self.peek().kind == "op":
            self.take()
            self._newlines()
            commands.append(self._command())
        return commands[0] if len(commands) == 1 and not negated else Pipeline(tuple(commands), negated)

    # ---- commands

    def _command(self) -> Command:
        token = self.peek()
        body: Command
        if token.kind == "word" and token.text == "function":
            self.take()
            return self._function(self.take(), brackets=False)
        if token.kind == "op" and token.text == "(":
            self.take()
            body = Subshell(self._filled(")"))
            self._expect(")")
        elif token.kind == "word" and token.text in RESERVED:
            body = self._reserved()
        else:
            return self._simple()
        line = token.line
        redirects = self._redirects()
        return Redirected(body, tuple(redirects), line) if redirects else body

    def _reserved(self) -> Command:
        word = self.peek().text
        if word == "{":
            self.take()
            body = self._filled("}")
            self._expect("}")
            return body
        if word == "if":
            return self._if()
        if word in ("while", "until"):
            self.take()
            condition = self._filled("do")
            self._expect("do")
            body = self._filled("done")
            self._expect("done")
            return While(condition, body, word == "until")
        if word == "for":
            return self._for()
        if word == "case":
            return self._case()
        raise self._unexpected(self.peek())

    def _filled(self, *ends: str) -> Command:
        """A block that must not be empty."""
        self._newlines()
        if self._at(*ends):
            raise self._unexpected(self.peek())
        return self.block(*ends)

    def _if(self) -> Command:
        branches: list[tuple[Command, Command]] = []
        otherwise: Command | None = None
        while True:
            self.take()  # if, elif
            condition = self._filled("then")
            self._expect("then")
            branches.append((condition, self._filled("elif", "else", "fi")))
            if not self._at("elif"):
                break
        if self._at("else"):
            self.take()
            otherwise = self._filled("fi")
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> Command:
        self.take()
        name = self.take()
        if name.word is None or name.word.bare is None or not NAME.fullmatch(name.word.bare):
            raise SyntaxProblem("syntax error: bad for loop variable", name.line)
        self._newlines()
        words: tuple[Word, ...] | None = None
        if self._at("in"):
            self.take()
            found = []
            while self.peek().word is not None:
                found.append(self._word())
            words = tuple(found)
            if self.peek().kind != "newline" and not self._at(";"):
                raise self._unexpected(self.peek(), "do")
        if self._at(";"):
            self.take()
        self._newlines()
        close = "}" if self._at("{") else "done"
        self._expect("{" if close == "}" else "do")
        body = self._filled(close)
        self._expect(close)
        return For(name.word.bare, words, body)

    def _case(self) -> Command:
        self.take()
        if self.peek().word is None:
            raise self._unexpected(self.peek(), "word")
        subject = self._word()
        self._newlines()
        self._expect("in")
        branches: list[tuple[tuple[Word, ...], Command | None]] = []
        while True:
            self._newlines()
            if self._at("esac") and self.peek().word is not None:
                break
            if self._at("("):
                self.take()
            patterns = [self._pattern()]
            while self._at("|"):
                self.take()
                patterns.append(self._pattern())
            self._expect(")")
            body = self.block(";;", "esac")
            branches.append((tuple(patterns), None if body == _EMPTY else body))
            if self._at(";;"):
                self.take()
            else:
                break
        self._expect("esac")
        return Case(subject, tuple(branches))

    def _pattern(self) -> Word:
        if self.peek().word is None:
            raise self._unexpected(self.peek(), ")")
        return self._word()

    def _word(self) -> Word:
        word = self.take().word
        assert word is not None
        return word

    def _simple(self) -> Command:
        line = self.peek().line
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            token = self.peek()
            if token.word is not None:
                self.take()
                assignment = None if words else _assignment(token.word)
                if assignment is not None:
                    assignments.append(assignment)
                    continue
                words.append(token.word)
                if len(words) == 1 and not assignments and not redirects and self._at("("):
                    return self._function(token)
            elif words and words[0].bare == "[[" and words[-1].bare != "]]" and token.kind == "op":
                self.take()  # inside of [[ ]] operators are words
                words.append(Word.of([Literal(token.text, False)]))
            elif token.kind == "number" or token.text in REDIRECTS:
                redirects += self._redirects()
            else:
                break
        if not (assignments or words or redirects):
            raise self._unexpected(self.peek())
        return Simple(tuple(assignments), tuple(words), tuple(redirects), line)

    def _function(self, name: Token, brackets: bool = True) -> Command:
        """``name() command``; after the word ``function`` the brackets may be left out."""
        if brackets or self._at("("):
            self.take()
            self._expect(")")
        self._newlines()
        if name.word is None or name.word.bare is None or not re.fullmatch(r"[A-Za-z_][\w.-]*", name.word.bare):
            raise SyntaxProblem("syntax error: bad function name", name.line)
        if self.peek().kind == "end":
            raise self._unexpected(self.peek())
        return Function(name.word.bare, self._command())

    def _redirects(self) -> list[Redirect]:
        found: list[Redirect] = []
        while True:
            token = self.peek()
            if token.kind == "number":
                self.take()
                fd, op = int(token.text), self.take().text
            elif token.kind == "op" and token.text in REDIRECTS:
                self.take()
                op = token.text
                fd = 0 if op[0] == "<" else 1
            else:
                return found
            if self.peek().word is None:
                raise self._unexpected(self.peek())
            redirect = Redirect(fd, "<<" if op == "<<-" else op, self._word())
            if redirect.op == "<<":
                self.lexer.expect(redirect, strip=op == "<<-")
            found.append(redirect)


def _sequence(items: list[tuple[Command, bool]]) -> Command:
    return items[0][0] if len(items) == 1 and not items[0][1] else Sequence(tuple(items))


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Literal) or first.quoted:
        return None
    found = _ASSIGNMENT.match(first.text)
    if found is None:
        return None
    rest = first.text[found.end() :]
    return found[1], Word.of([*([Literal(rest, False)] if rest else []), *word.parts[1:]])


def _inner(lexer: Lexer) -> Script:
    """Commands up to ``)``, which is taken: the inside of ``$(…)``."""
    parser = Parser(lexer)
    body = parser.block(")")
    parser.take()
    return Script((body,))


@lru_cache(maxsize=1024)
def parse(text: str, line: int = 1) -> Script:
    """A script's commands, line by line, up to the first syntax error. Read once per text."""
    parser = Parser(Lexer(text, line, _inner))
    commands: list[Command] = []
    try:
        while (command := parser.line()) is not None:
            commands.append(command)
    except SyntaxProblem as problem:
        return Script(tuple(commands), Problem(problem.message, problem.line))
    except RecursionError:
        return Script(tuple(commands), Problem("syntax error: nested too deeply", line))
    return Script(tuple(commands))
