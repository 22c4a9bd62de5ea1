"""The golden files of version 1 never change. Who changes one breaks the promise that old files stay readable.

A version to come gets files of its own, beside these, and what is here must then still be read.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.records.make_golden import GOLDEN

FROZEN = {
    "2026-a.fso": "b326f6605dc52c874f5cca509e7898c2e0dcd511aa6161cadaccbb264c41e0d6",
    "attachment-1.fse": "8f4d3ade4b660280c803a0aa31a5d939459a66a4c1d55a5035542527c6859c09",
    "attachment-2.fse": "cffb059e01b40bdf6feba572a5a5f0849d11f153bd17ea415d0d0e1b69ea5b3c",
    "batch.fsb": "cea17d66b74c69966b03c090364c296faca104e222eed36e8bf31153149ddf05",
    "central.key": "13c86ba9bfde267737515219129022d553f43849a4e2f36b30883bd47ea4ae0c",
    "device-renewed.card": "a5c9d4c74dbb4355f233e5859d8de77da45e3edd066da34acfcdcc38f2dc57aa",
    "device.card": "cd63ec2a02626b074b2447659c304745d7cd61b752a54a956d6baeee7480af8f",
    "escrow.key": "159b856c40bc388ecc5cee381536bf00b1a634ed081dcec05aa562cd4ec31cd4",
    "escrow.sheets": "14fc9b06fe7aa004e3e87af67dc66395afabbff38756a9fc305f96ea41e9761b",
    "expected.json": "4d35dac3279b3014d8d30a7e132cc2fa481ab012e47757f4e2ed441e54d6cc88",
    "hmu-H01.key": "720428f7e413d6f08cda3e46c217eafcf1768d276e07bc1f84ffcf9b169b990b",
    "hmu-H02.key": "dae1c878bfd500c31cc518a3187cdc840c659a8ea0f1960d30d9f6061ffdfbe2",
    "hmu-H03.key": "192f0bb5ae1d60389e118bec75097f7e62a4d33cd4e27ecf775bbb8a3853c84a",
    "hmu.key": "c54d12447ab56103fc583d041e6ac4d7a2fce9291b1f69cb7570912f3b1313e6",
    "keys.json": "3160406cb103eddc8808ee4558165e1e87f45ab9e4f60fd0c7f880aa50502123",
    "laptop.fsv": "aab86a67bfe74f133e94f4830ec9f99ad443a0211ee347e1ac68a97689042307",
    "ledger.jsonl": "3ab3ef9facce3ae8f06fcb80a5286ad227652e41c9817f4664d6d3fe1b9a978c",
    "log.bin": "d3fc01ec66547a52c1d92ee8d163cfe9c93fd9eb6def9d6ba913aa557ad839b1",
    "project.fsp": "6f3fcaeb2bb85dc1c7c751fac7e937989d7ee869e0a6a075be70fcb39a3cde64",
    "receipt-backed_up.fsr": "b73acec4a9f4751c1b3fe987148a0919dc573ba4f54e9eb55cedb24cb18f4058",
    "receipt-committed.fsr": "29fe5b35dcaba87c17362a397d7097102d9cee4726df80817b3ad3cbc0d89031",
    "receipt-received.fsr": "cd816d926dfcde1ba689f57e63e943869d37a6167d4315691d5351c090f05d08",
    "record-1.fse": "74ed61ccaa4fecb5cc7fccaf1bd1e2d4afeeb8cbcfc213c20155d5b077d0aec6",
    "record-2.fse": "42f319744e676ccd104c2144bb0ccd9ab51ef6da8cbf786f696db983599e6d55",
    "root.key": "eb37af49f0a450621f8b38c5709c8d18370e4bcd66c375ba209dd62f01328035",
    "root.sheets": "1b765a597493428ee923694e53e4147d983316d64e1a561c5207ac6cd031b01d",
    "round.key": "44465fa13423e70c6fc1c4c2d711b8de0808ad4abe42aad7dc9fd3e1f04ed3a8",
    "tombstone.fsw": "9591b18ad07f7a104f4f9181088da291d8d78884594b29ad55ad5d45513ad347",
    "two-people.key": "78a3029bc53525a99317aeb7517f6abcc15508dbc9c4c03037ea1adde459de1e",
    "withdrawal.codes": "df7d595cafb15799b0aea299594b662a430a242150acdde81a9ca6b38e3a2fd8",
    "words.txt": "56e5dd5fddaceaa0ae4ae8e6168ee340c4a41d70c4c9afb760a72c81c7c62fbe",
}


def hashes(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 in hexadecimal."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_golden_files_of_version_1_are_those_of_its_first_day() -> None:
    """Byte for byte, none more and none fewer."""
    assert hashes(GOLDEN) == FROZEN


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """The control: one bit."""
    for path in GOLDEN.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert hashes(tmp_path) == FROZEN
    record = tmp_path / "record-1.fse"
    record.write_bytes(record.read_bytes()[:-1] + bytes([record.read_bytes()[-1] ^ 1]))
    assert hashes(tmp_path) != FROZEN
