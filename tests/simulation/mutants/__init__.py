"""The product with one thing wrong, and the situation that shows it.

rewriting   changes one expression of the product for as long as a context is open
rules       every rule of the protocol, switched off alone
bugs        bugs that somebody could write tomorrow
judging     runs a situation: a drawn seed, or a race that is written down
asking, carrying, deleting, guarding, holding, linking, mapping, scoping   the races
table       which situation shows which mutant
hunt        ``python -m tests.simulation.mutants.hunt``: renews the table
"""
