"""Asks a server with openai-python: peer.py ADDRESS ROWS CONCURRENCY WARM_UP.
With concurrency 0, asks sequentially with the client without asyncio. Prints a line of JSON; the
times cover only the requests."""

import asyncio
import json
import sys
import time

import openai

def options(address):
    return {
        "azure_endpoint": address,
        "api_key": "key",
        "api_version": "2024-10-21",
    }


def question(number):
    return {
        "model": "bench",
        "max_tokens": 100,
        "messages": [
            {"role": "system", "content": "You are free from bias."},
            {"role": "user", "content": f"Describe person {number} in three sentences."},
        ],
    }


def ask(client, numbers):
    answers = []
    for number in numbers:
        try:
            completion = client.chat.completions.create(**question(number))
            answers.append(completion.choices[0].message.content)
        except openai.OpenAIError:
            answers.append(None)
    return answers


async def ask_at_once(client, numbers, concurrency):
    room = asyncio.Semaphore(concurrency)

    async def one(number):
        async with room:
            try:
                completion = await client.chat.completions.create(**question(number))
                return completion.choices[0].message.content
            except openai.OpenAIError:
                return None

    return await asyncio.gather(*(one(number) for number in numbers))


def report(answers, wall, cpu):
    answered = sum(answer is not None for answer in answers)
    print(json.dumps({"rows": len(answers), "answered": answered, "wall": wall, "cpu": cpu}))


def main():
    address, (rows, concurrency, warm_up) = sys.argv[1], map(int, sys.argv[2:5])
    numbers, warm_up = range(rows), range(-warm_up, 0)
    if concurrency == 0:
        client = openai.AzureOpenAI(**options(address))
        ask(client, warm_up)
        wall, cpu = time.monotonic(), time.process_time()
        answers = ask(client, numbers)
        report(answers, time.monotonic() - wall, time.process_time() - cpu)
        return

    async def run():
        client = openai.AsyncAzureOpenAI(**options(address))
        await ask_at_once(client, warm_up, concurrency)
        wall, cpu = time.monotonic(), time.process_time()
        answers = await ask_at_once(client, numbers, concurrency)
        report(answers, time.monotonic() - wall, time.process_time() - cpu)

    asyncio.run(run())


main()
