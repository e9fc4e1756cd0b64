/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JavaWork.java - calls, strings and a hash table, interpreted at first and compiled soon.
 * Usage: JavaWork SECONDS
 */
import java.util.HashMap;

public class JavaWork {
	static int fibonacci(int n)
	{
		return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
	}

	public static void main(String[] arguments)
	{
		long end = System.nanoTime() + Integer.parseInt(arguments[0]) * 1000000000L;
		HashMap<Integer, String> map = new HashMap<>();
		long sum = 0;

		while (System.nanoTime() < end) {
			sum += fibonacci(22);
			for (int i = 0; i < 1000; i++)
				map.put(i, "text " + i + sum);
		}
		System.out.println(sum + map.size());
	}
}
